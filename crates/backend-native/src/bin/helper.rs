//! The helper alone, for tests that have no bot-bottle program at hand.

fn main() -> std::process::ExitCode {
    backend_native::run_helper().into()
}
