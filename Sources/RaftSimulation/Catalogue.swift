import RaftCore

/// What can be part of a small world's state: it is what it is, under the servers' own names and under others.
protocol Part: Sendable {
    associatedtype Identity: Hashable
    /// What two parts that are the same have in common, had the servers other names.
    func identity(under renaming: Renaming) -> Identity
}

/// Every different part of a kind that was met, by number, with its fingerprint under each renaming of the servers. A
/// small world has few different servers and messages; its many states are what can be put together from them.
struct Catalogue<Element: Part>: Sendable where Element.Identity: Sendable {
    private(set) var elements: [Element] = []
    private var fingerprints: ContiguousArray<Fingerprint> = []
    private var numbers: [Element.Identity: UInt32] = [:]
    private let renamings: [Renaming]
    private let domain: Int

    /// An empty catalogue; parts of another `domain` have other fingerprints.
    init(renamings: [Renaming], domain: Int) {
        self.renamings = renamings
        self.domain = domain
    }

    /// The part of this number.
    subscript(number: UInt32) -> Element { elements[Int(number)] }

    /// The number of `element`, which is noted where it is new.
    mutating func number(of element: Element) -> UInt32 {
        let identity = element.identity(under: renamings[0])
        if let known = numbers[identity] { return known }
        let number = UInt32(elements.count)
        numbers[identity] = number
        elements.append(element)
        for renaming in renamings {
            fingerprints.append(Fingerprint(of: element.identity(under: renaming), domain: domain))
        }
        return number
    }

    /// The fingerprint of the part of this number under the `renaming`th renaming.
    func fingerprint(of number: UInt32, under renaming: Int) -> Fingerprint {
        fingerprints[Int(number) * renamings.count + renaming]
    }
}

extension Message: Part {
    func identity(under renaming: Renaming) -> Message { renamed(by: renaming) }
}
