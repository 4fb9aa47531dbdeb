//! The ports on which a bottle meets the outlet.

/// Where the explicit proxy is (`HTTP_PROXY`), on 127.0.0.1.
pub const PROXY: u16 = 3128;
/// Where names are asked for.
pub const DNS: u16 = 53;
/// Ports that are listened on for every address: SSH, DNS over TCP, HTTP, HTTPS. On all others the kernel itself refuses,
/// because nobody listens. All are below 1024, so that no program in the bottle wants them for itself.
pub const TRANSPARENT: [u16; 4] = [22, DNS, 80, 443];
