use std::path::PathBuf;

use backend_native::{HelperProgram, NativeBackend};

/// The helper's program.
#[allow(clippy::disallowed_methods, reason = "where a copied test binary finds the helper is said in its environment alone")]
pub fn helper() -> PathBuf {
    std::env::var_os("BOT_BOTTLE_TEST_HELPER").map_or_else(|| env!("CARGO_BIN_EXE_bot-bottle-helper").into(), PathBuf::from)
}

/// The backend under test.
pub fn backend() -> NativeBackend {
    NativeBackend::new(HelperProgram::At(helper()))
}
