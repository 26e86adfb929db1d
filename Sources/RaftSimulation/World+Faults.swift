import Laboratory
import RaftCore
import RaftNode
import RaftStorage
import RaftTrace

// What goes wrong in a simulated world.

extension World {
    /// One of the mix's faults happens, and the next is due.
    mutating func somethingGoesWrong() {
        guard !isCalm else { return }
        let faults = Mix.Fault.allCases.filter { mix.faults[$0] != nil }
        var ticket = random.below(UInt64(faults.reduce(0) { $0 + (mix.faults[$1] ?? 0) }))
        for fault in faults {
            let share = UInt64(mix.faults[fault] ?? 0)
            if ticket < share {
                happen(fault)
                break
            }
            ticket -= share
        }
        schedule(.fault, after: random.interval(in: mix.faultPause))
    }

    private mutating func happen(_ fault: Mix.Fault) {
        let place = Int(random.below(UInt64(servers.count)))
        switch fault {
        case .kill: crash(place, .kill)
        case .power: crash(place, .power)
        case .blackout: for place in servers.indices { crash(place, .power) }
        case .wipe: wipe(place)
        case .pause:
            pause(place)
            let length = random.interval(in: .milliseconds(50) ... .seconds(2))
            schedule(.mend(server: place, life: servers[place].lives), after: length)
        case .cut: cutOneWay(from: place)
        case .partition: partition()
        case .isolateLeader: if let leader { isolate(leader) }
        case .killLeader: if let leader { crash(leader, random.chance(0.5) ? .kill : .power) }
        case .heal: healAll()
        case .stall:
            servers[place].stall = random.interval(in: .milliseconds(10) ... .seconds(1))
            schedule(.mend(server: place, life: servers[place].lives), after: .seconds(2))
        case .diskError: breakDisk(of: place)
        case .clock: changeClock(of: place)
        case .campaign: handle(.campaign, on: place)
        case .switchLeases: switchLeases(on: place)
        case .overthrow: overthrow(by: place)
        case .members: changeMembers()
        case .transfer: if let leader { handle(.transfer(to: servers[place].id), on: leader) }
        }
    }

    /// A server has leases on or off, whatever the others have. One that restarts knows what holds.
    private mutating func switchLeases(on place: Int) {
        var other = settings
        other.options.lease = random.chance(0.5)
        servers[place].life?.node.adopt(other)
    }

    /// The server that leads in the highest term.
    var leader: Int? {
        servers.indices.filter { servers[$0].life?.node.raft.role.name == .leader }
            .max { term(of: $0) < term(of: $1) }
    }

    /// Some leader, perhaps one that is deposed and doesn't know it, is told to change a server or two from members to none,
    /// or from none to members; more than once.
    private mutating func changeMembers() {
        let leaders = servers.indices.filter { servers[$0].life?.node.raft.role.name == .leader }
        guard !leaders.isEmpty else { return }
        let leader = leaders[Int(random.below(UInt64(leaders.count)))]
        // Several in a row, of which all but the first are to be refused.
        for _ in 0...random.below(6) { changeMembers(through: leader) }
    }

    /// A member is taken out; where there are few, an outsider is taken in.
    mutating func changeOneMember(through leader: Int) {
        guard !isCalm, let present = servers[leader].life?.node.raft.configuration else { return }
        let outsiders = servers.map(\.id).filter { !present.target.contains($0) }
        let members = Array(present.target)
        let isAdding = !outsiders.isEmpty && (members.count < 4 || random.chance(0.3))
        let chosen = isAdding ? outsiders : members
        let node = chosen[Int(random.below(UInt64(chosen.count)))]
        handle(.changeMembers(adding: isAdding ? [node] : [], removing: isAdding ? [] : [node]), on: leader)
        // And nobody hears of it, or one other server alone.
        switch random.below(3) {
        case 0: isolate(leader)
        case 1:
            isolate(leader)
            let friend = servers[(leader + 1 + Int(random.below(UInt64(servers.count - 1)))) % servers.count].id
            cuts[Picture.LinkID(from: servers[leader].id, to: friend)] = false
            cuts[Picture.LinkID(from: friend, to: servers[leader].id)] = false
        default: break
        }
    }

    private mutating func changeMembers(through leader: Int) {
        guard let present = servers[leader].life?.node.raft.configuration else { return }
        var (added, removed) = (NodeSet(), NodeSet())
        for _ in 0...random.below(2) {
            let node = servers[Int(random.below(UInt64(servers.count)))].id
            if present.target.contains(node) { removed.insert(node) } else { added.insert(node) }
        }
        handle(.changeMembers(adding: added, removing: removed), on: leader)
    }

    private mutating func crash(_ place: Int, _ how: CrashKind) {
        guard servers[place].isRunning else { return }
        stop(place, how)
        reviveLater(place)
    }

    /// A server that went down comes back after a while.
    mutating func reviveLater(_ place: Int) {
        schedule(.revival(server: place), after: random.interval(in: .milliseconds(1) ... .seconds(2)))
    }

    /// Takes a disk away, unless too many would have forgotten what they promised.
    private mutating func wipe(_ place: Int) {
        guard servers[place].isRunning, wiped.union([place]).count * 2 < servers.count else { return }
        wiped.insert(place)
        crash(place, .wipe)
    }

    private mutating func cutOneWay(from place: Int) {
        let other = (place + 1 + Int(random.below(UInt64(servers.count - 1)))) % servers.count
        guard other != place else { return }
        cuts[Picture.LinkID(from: servers[place].id, to: servers[other].id)] = true
    }

    private mutating func healAll() { cuts = LinkTable(nodes: Desk.nodesMax, false) }

    private mutating func partition() {
        let sides = servers.map { _ in random.chance(0.5) }
        healAll()
        for (one, from) in servers.enumerated() {
            for (other, to) in servers.enumerated() where sides[one] != sides[other] {
                cuts[Picture.LinkID(from: from.id, to: to.id)] = true
            }
        }
    }

    private mutating func isolate(_ place: Int) {
        for other in servers.indices where other != place {
            cuts[Picture.LinkID(from: servers[place].id, to: servers[other].id)] = true
            cuts[Picture.LinkID(from: servers[other].id, to: servers[place].id)] = true
        }
    }

    private mutating func overthrow(by place: Int) {
        guard let leader, leader != place else { return }
        isolate(leader)
        handle(.campaign, on: place)
    }

    private mutating func breakDisk(of place: Int) {
        let fault: SimulatedDisk.Fault = random.chance(0.5) ? .fails : .full
        servers[place].life?.log.disk.fault = fault
    }

    /// The clock of a server goes at another rate, within the mix's drift.
    mutating func changeClock(of place: Int) {
        let off = mix.drift * (2 * Double(random.below(1_001)) / 1_000 - 1)
        servers[place].clock.change(rate: 1 + off, at: now)
        lookAgain(place)
    }

    /// A server goes on, and its disk is well again.
    mutating func mend(_ place: Int, life: UInt64) {
        servers[place].stall = .zero
        if servers[place].lives == life { resume(place) }
    }

    /// Nothing goes wrong any more, and what was wrong is put right.
    mutating func calmDown() {
        isCalm = true
        healAll()
        // Who has fallen far behind is not to catch up one entry a round trip.
        settings.limits = Limits()
        for place in servers.indices { servers[place].life?.node.adopt(settings) }
        for place in servers.indices {
            servers[place].stall = .zero
            servers[place].clock.change(rate: 1, at: now)
            resume(place)
            servers[place].life?.node.adopt(settings)
            if servers[place].isRunning { lookAgain(place) } else { start(place) }
        }
    }
}
