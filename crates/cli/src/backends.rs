pub use backend_native::give_memory_back;
use bottle::Backend;

use crate::failure::Failure;
use crate::host_env::HostEnvironment;

/// Every backend that can be chosen, the default first. The only place in the project that names one.
pub fn all() -> Vec<Box<dyn Backend>> {
    vec![Box::new(backend_native::NativeBackend::new(backend_native::HelperProgram::Own))]
}

/// The backend that was asked for, by option or variable, or the default.
///
/// # Errors
/// When there is none of that name.
pub fn choose(option: Option<&str>, host: &HostEnvironment) -> Result<Box<dyn Backend>, Failure> {
    let (wanted, by) = match (option, host.backend()) {
        (Some(name), _) => (Some(name.to_owned()), "--backend"),
        (None, Some(name)) => (Some(name), "BOT_BOTTLE_BACKEND"),
        (None, None) => (None, ""),
    };
    let mut all = all();
    let names: Vec<String> = all.iter().map(|backend| backend.name().to_string()).collect();
    let at = match &wanted {
        None => 0,
        Some(wanted) => names.iter().position(|name| name == wanted).ok_or_else(|| {
            Failure::usage(format!("{by}: there is no backend named {}", store::escape(wanted)))
                .hint(format!("use one of: {}", names.join(", ")))
        })?,
    };
    Ok(all.swap_remove(at))
}
