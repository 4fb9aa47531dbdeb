//! See `testkit::smolvm`.

fn main() -> std::process::ExitCode {
    testkit::smolvm::main()
}
