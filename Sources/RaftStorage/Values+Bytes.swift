import ByteCoding
import RaftCore

// The binary form of what several files hold.

extension ByteWriter {
    mutating func write(_ position: LogPosition) {
        writeVarint(position.term.rawValue)
        writeVarint(position.index.rawValue)
    }

    mutating func write(_ configuration: Configuration) {
        writeVarint(UInt64(configuration.members.count))
        for member in configuration.members {
            write(member.id.rawValue)
            write(member.incarnation.rawValue)
        }
        for set in [configuration.voters, configuration.outgoing, configuration.target] {
            write(UInt8(set.count))
            for node in set { write(node.rawValue) }
        }
    }
}

extension ByteReader {
    mutating func readNodeID() throws(ByteReadingError) -> NodeID {
        guard let node = NodeID(rawValue: try readByte()) else { throw .invalid("impossible server number") }
        return node
    }

    /// A term or an index: no cluster ever counts as far as this.
    mutating func readNumber() throws(ByteReadingError) -> UInt64 {
        let number = try readVarint()
        guard number <= 1 << 56 else { throw .invalid("impossible term or index") }
        return number
    }

    mutating func readPosition() throws(ByteReadingError) -> LogPosition {
        let term = Term(try readNumber())
        return LogPosition(term: term, index: LogIndex(try readNumber()))
    }

    mutating func readConfiguration() throws(ByteReadingError) -> Configuration {
        var members: [Configuration.Member] = []
        for _ in 0..<(try readVarint()) {
            let id = try readNodeID()
            members.append(.init(id: id, incarnation: Incarnation(try readUInt32())))
        }
        guard !members.isEmpty else { throw .invalid("empty list of members") }
        let voters = try readNodes()
        let outgoing = try readNodes()
        let target = try readNodes()
        let configuration = Configuration(checking: members, voters: voters, outgoing: outgoing, target: target)
        guard let configuration else { throw .invalid("impossible list of members") }
        return configuration
    }

    private mutating func readNodes() throws(ByteReadingError) -> NodeSet {
        var nodes = NodeSet()
        for _ in 0..<(try readByte()) { nodes.insert(try readNodeID()) }
        return nodes
    }
}
