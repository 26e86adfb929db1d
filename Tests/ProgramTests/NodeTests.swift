import Foundation
import Testing

@testable import raft_tui

/// A node in a process of its own, from its start to its end.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct NodeTests {
    /// Starts a node whose peers aren't there, on any free ports, and plays `script` once it serves; `ask METHOD PATH`
    /// asks it, and `log` is what it has told.
    private func play(_ script: String, _ options: String = "--http 127.0.0.1:0", before: String = "") throws -> String
    {
        let directory = try TemporaryDirectory()
        let text = """
            cd "$1"; log=log; : > $log
            umask 022; echo 'a secret that is long enough for tests' > secret
            ask() {
                exec 3<>"/dev/tcp/127.0.0.1/$port"
                printf '%s %s HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' "$1" "$2" >&3
                cat <&3
            }
            \(before)
            "$0" node --id 1 --raft 127.0.0.1:0 --peers 2=127.0.0.1:1,3=127.0.0.1:1 --data-dir . \(options) 2> $log & node=$!
            until port=$(sed -n 's|.*serves http://.*:||p' $log) && [ -n "$port" ]; do
                kill -0 $node || { cat $log; exit 1; }; sleep 0.02
            done
            \(script)
            kill $node 2> kill; wait $node; echo "status $?"
            """
        let ending = try Program.command(["bash", "-c", text, Program.path, directory.path])
        #expect(ending.errors.isEmpty, "\(ending.errors)")
        #expect(ending.output.hasSuffix("status 0\n"), "\(ending.output)")
        return ending.output
    }

    @Test("whoever waits for an answer has it when the node is told to end")
    func answersAtTheEnd() throws {
        let output = try play(
            """
            ask PUT /kv/x > answer & asked=$!
            until ask GET /metrics | grep -q '^http_connections 2'; do :; done
            kill -TERM $node; wait $asked; cat answer
            """)
        #expect(output.contains("HTTP/1.1 504 "))
        #expect(output.contains("it may or may not have been done"))
    }

    @Test("what others are told is where they reach the node, and a node that many can reach says so")
    func advertised() throws {
        let output = try play(
            "cat log", "--http 0.0.0.0:0 --advertise 127.0.0.7 --secret-file secret")
        #expect(output.contains("serves http://127.0.0.7:"))
        #expect(output.contains("everybody who can reach 0.0.0.0:0 can read and write all keys"))
        #expect(output.contains("secret can be read by others on this machine: chmod 600 secret"))
        let alone = try play("cat log", "--http 127.0.0.1:0 --secret-file secret", before: "chmod 600 secret")
        #expect(!alone.contains("warning"))
    }

    @Test("where the process may have few files open, HTTP has fewer connections, and the node says so")
    func fewFiles() throws {
        let output = try play("cat log", before: "ulimit -n 600")
        #expect(output.contains("this process may have 600 files open, so that HTTP has room for 344 connections"))
    }

    @Test("an address that others are told is an address, with its port or without")
    func advertisedAddresses() throws {
        for (text, address) in [
            ("192.168.1.7", "192.168.1.7:0"), ("192.168.1.7:80", "192.168.1.7:80"), ("::1", "[::1]:0"),
            ("[::1]", "[::1]:0"), ("[fe80::1]:9001", "[fe80::1]:9001"),
        ] {
            #expect(AdvertisedAddress(argument: text).map { "\($0.address)" } == address)
        }
        for text in ["", "0.0.0.0", "0.0.0.0:1", "::", "[::]:9001", "name", "1.2.3", "1.2.3.4:x", "1.2.3.4:99999"] {
            #expect(AdvertisedAddress(argument: text) == nil, "\(text)")
        }
    }

    @Test("the token is what openssl makes of the secret, and nobody reads the secret off it")
    func token() throws {
        let token = SecretFile.token(of: Array("a secret that is long enough for tests".utf8))
        #expect(token == "72e1fa6eb3edae89076f2103770ba10a350c06c7e86d939e8f71bbd1f5a0825d")
    }
}
