//! The programs that run inside containers, as bytes: built with the project, linked statically, for the machine that bot-bottle
//! itself runs on. `build.rs` tells how.

#![forbid(unsafe_code)]

pub mod programs;

/// PID 1 of a bottle in a container (`helper::run_contained`).
pub static HELPER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bot-bottle-contained"));
/// The relay, which carries connections from a container's network to the session.
pub static RELAY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bot-bottle-relay"));

#[cfg(test)]
mod tests {
    /// No program header of type 3 (`elf(5)`, PT_INTERP): nothing of an image is needed to run them.
    #[test]
    fn both_run_in_an_empty_image() {
        for program in [super::HELPER, super::RELAY] {
            assert_eq!(&program[..4], b"\x7fELF");
            let field = |at: usize| usize::from(u16::from_le_bytes([program[at], program[at + 1]]));
            let (offset, size, count) = (u64::from_le_bytes(*program[32..].first_chunk().unwrap()), field(54), field(56));
            let headers = (0..count).map(|number| usize::try_from(offset).unwrap() + number * size);
            let kinds: Vec<u32> = headers.map(|at| u32::from_le_bytes(*program[at..].first_chunk().unwrap())).collect();
            assert!(!kinds.is_empty() && !kinds.contains(&3), "{kinds:?}");
            assert!(program.len() < 2 << 20, "{} bytes", program.len());
        }
    }
}
