//! The helper for containers: the crate `carried` builds it statically, so that it runs in any image.

fn main() -> std::process::ExitCode {
    helper::run_contained()
}
