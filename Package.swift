// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let hashTrees = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")

let package = Package(
    name: "raft-tui",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
    ],
    targets: [
        .target(name: "ByteCoding", swiftSettings: settings),
        .target(name: "RaftCore", dependencies: [deque], swiftSettings: settings),
        .target(name: "KeyValue", dependencies: ["ByteCoding", hashTrees], swiftSettings: settings),
        .target(name: "RaftTrace", dependencies: ["KeyValue", "RaftCore", hashTrees], swiftSettings: settings),
        .target(name: "CChecksum"),
        .target(name: "RaftStorage", dependencies: ["ByteCoding", "CChecksum", "RaftCore"], swiftSettings: settings),
        .target(
            name: "RaftNode", dependencies: ["ByteCoding", "KeyValue", "RaftCore", "RaftTrace", deque],
            swiftSettings: settings),
        .target(
            name: "RaftTransport", dependencies: ["RaftCore", crypto, deque, nio, nioPosix], swiftSettings: settings),
        .target(
            name: "Laboratory", dependencies: ["KeyValue", "RaftCore", "RaftTrace", deque], swiftSettings: settings),
        .target(
            name: "RaftAudit", dependencies: ["KeyValue", "RaftCore", "RaftTrace", deque], swiftSettings: settings),
        .target(
            name: "RaftSimulation",
            dependencies: [
                "KeyValue", "Laboratory", "RaftAudit", "RaftCore", "RaftNode", "RaftStorage", "RaftTrace", heap,
            ], swiftSettings: settings),
        .target(
            name: "RaftCluster",
            dependencies: [
                "KeyValue", "Laboratory", "RaftCore", "RaftNode", "RaftStorage", "RaftTrace", "RaftTransport",
                histogram, nio, nioPosix,
            ], swiftSettings: settings),
        .target(
            name: "KeyValueService",
            dependencies: [
                "KeyValue", "RaftCore", "RaftNode", "RaftTrace", deque, httpTypes, hummingbird, logging, nio, nioHTTP,
                nioPosix,
            ], swiftSettings: settings),
        .target(
            name: "ClusterWatch",
            dependencies: ["KeyValue", "Laboratory", "RaftCore", "RaftTrace", nio, nioHTTP, nioPosix],
            swiftSettings: settings),
        .target(
            name: "Script", dependencies: ["KeyValue", "Laboratory", "RaftAudit", "RaftCore", "RaftTrace"],
            resources: [.embedInCode("Lessons")], swiftSettings: settings),
        .target(name: "CWidth"),
        .target(name: "Canvas", dependencies: ["CWidth"], swiftSettings: settings),
        .target(
            name: "Dashboard",
            dependencies: ["Canvas", "KeyValue", "Laboratory", "RaftAudit", "RaftCore", "RaftTrace", "Script"],
            swiftSettings: settings),
        .target(name: "CNcurses"),
        .target(name: "Terminal", dependencies: ["CNcurses", "Canvas"], swiftSettings: settings),
        .target(name: "CAllocator"),
        .executableTarget(
            name: "raft-tui",
            dependencies: [
                "CAllocator", "Canvas", "ClusterWatch", "Dashboard", "KeyValue", "KeyValueService", "Laboratory",
                "RaftAudit", "RaftCluster", "RaftCore", "RaftNode", "RaftSimulation", "RaftStorage", "RaftTrace",
                "RaftTransport", "Script", "Terminal", argumentParser, crypto, logging,
            ], swiftSettings: settings),
        .target(
            name: "Bench", dependencies: ["KeyValue", "RaftCore", "RaftNode", "RaftTrace"], path: "Tests/Bench",
            swiftSettings: settings),
        .executableTarget(
            name: "linearizability-benchmark", dependencies: ["KeyValue", "RaftAudit", "RaftCore", "RaftTrace"],
            path: "Tests/Benchmarks/Linearizability", swiftSettings: settings),
        .executableTarget(
            name: "compaction-benchmark",
            dependencies: ["KeyValue", "Laboratory", "RaftCluster", "RaftCore", "RaftStorage", "RaftTrace"],
            path: "Tests/Benchmarks/Compaction", swiftSettings: settings),
        .executableTarget(
            name: "looking-back-benchmark",
            dependencies: [
                "Canvas", "Dashboard", "KeyValue", "Laboratory", "RaftCore", "RaftSimulation", "RaftTrace",
            ], path: "Tests/Benchmarks/LookingBack", swiftSettings: settings),
        .testTarget(name: "ByteCodingTests", dependencies: ["ByteCoding"], swiftSettings: settings),
        .testTarget(name: "RaftCoreTests", dependencies: ["RaftCore"], swiftSettings: settings),
        .testTarget(name: "KeyValueTests", dependencies: ["ByteCoding", "KeyValue"], swiftSettings: settings),
        .testTarget(
            name: "RaftNodeTests", dependencies: ["Bench", "KeyValue", "RaftCore", "RaftNode", "RaftTrace"],
            swiftSettings: settings),
        .testTarget(
            name: "RaftTraceTests", dependencies: ["KeyValue", "RaftCore", "RaftTrace"], swiftSettings: settings),
        .testTarget(
            name: "RaftTransportTests", dependencies: ["RaftCore", "RaftTransport", nio, nioPosix],
            swiftSettings: settings),
        .testTarget(
            name: "DashboardTests",
            dependencies: [
                "Bench", "Canvas", "Dashboard", "KeyValue", "Laboratory", "RaftCore", "RaftNode", "RaftTrace",
                "RaftTransport", "Script",
            ], exclude: ["Goldens"], swiftSettings: settings),
        .testTarget(name: "ProgramTests", dependencies: ["CAllocator", "Script", "raft-tui"], swiftSettings: settings),
        .testTarget(
            name: "KeyValueServiceTests",
            dependencies: [
                "KeyValue", "KeyValueService", "RaftCore", "RaftNode", "RaftTrace", logging, nio, nioPosix,
            ], swiftSettings: settings),
        .testTarget(
            name: "ClusterWatchTests",
            dependencies: ["ClusterWatch", "KeyValue", "RaftAudit", "RaftCore", "RaftTrace"], swiftSettings: settings),
        .testTarget(name: "CanvasTests", dependencies: ["Canvas"], swiftSettings: settings),
        .testTarget(
            name: "ScriptTests",
            dependencies: ["KeyValue", "Laboratory", "RaftAudit", "RaftCore", "RaftTrace", "Script"],
            swiftSettings: settings),
        .testTarget(
            name: "LaboratoryTests", dependencies: ["KeyValue", "Laboratory", "RaftCore", "RaftTrace"],
            swiftSettings: settings),
        .testTarget(
            name: "RaftClusterTests",
            dependencies: [
                "ClusterWatch", "KeyValue", "KeyValueService", "Laboratory", "RaftAudit", "RaftCluster", "RaftCore",
                "RaftNode", "RaftSimulation", "RaftStorage", "RaftTrace", "RaftTransport", "Script", nio,
            ], swiftSettings: settings),
        .testTarget(
            name: "RaftAuditTests", dependencies: ["KeyValue", "RaftAudit", "RaftCore", "RaftTrace"],
            swiftSettings: settings),
        .testTarget(
            name: "RaftSimulationTests",
            dependencies: [
                "KeyValue", "Laboratory", "RaftAudit", "RaftCore", "RaftSimulation", "RaftTrace", "Script",
            ], swiftSettings: settings),
        .testTarget(
            name: "RaftStorageTests", dependencies: ["ByteCoding", "RaftCore", "RaftStorage"], swiftSettings: settings),
    ]
)
