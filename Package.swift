// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")

let package = Package(
    name: "raft-tui",
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0")
    ],
    targets: [
        .target(name: "RaftCore", dependencies: [deque], swiftSettings: settings),
        .testTarget(name: "RaftCoreTests", dependencies: ["RaftCore"], swiftSettings: settings),
    ]
)
