import Testing

@testable import ClusterWatch

/// What stands for a node's address.
struct NodeAddressTests {
    @Test("addresses are read with and without a slash, and lists of them")
    func addresses() throws {
        #expect(try NodeAddress(parsing: "http://127.0.0.1:9001/") == NodeAddress(host: "127.0.0.1", port: 9001))
        #expect(try NodeAddress(parsing: "HTTP://[::1]:80").description == "http://[::1]:80")
        #expect(try NodeAddress.list(parsing: "http://a:1,http://b:2").map(\.port) == [1, 2])
    }

    @Test(
        "what is no address is named",
        arguments: [
            "", "127.0.0.1:9001", "http://127.0.0.1", "http://:1", "http://a:0", "http://a:70000", "http://a b:1",
            "http://a:1,", "http://a:1/x", "http://::1:80", "http://a:1,http://a:1",
        ])
    func unreadable(text: String) {
        #expect(throws: AddressFailure.self) { try NodeAddress.list(parsing: text) }
    }

    @Test("https is refused as what it is")
    func https() {
        #expect { try NodeAddress(parsing: "https://a:1") } throws: {
            "\($0)".contains("HTTPS, which isn't spoken here")
        }
    }
}
