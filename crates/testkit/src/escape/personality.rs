//! Asks for memory that is executable whenever it is readable (`READ_IMPLIES_EXEC`), and for other relics.

use super::Arena;

/// Personalities that undo protections are refused, also behind the upper half of the argument.
pub async fn personality(arena: &Arena) {
    let script = r#"
for what, value in (("READ_IMPLIES_EXEC", 0x400000), ("MMAP_PAGE_ZERO", 0x100000), ("ADDR_COMPAT_LAYOUT", 0x200000),
                    ("SVR4", 0x4100001), ("ADDR_LIMIT_3GB", 0x8000000), ("all", 0x7fffffff)):
    refused(what, lambda: call(NR["personality"], value))
    refused(f"{what} behind high bits", lambda: call(NR["personality"], value | 1 << 32))
"#;
    arena.bottle().await.attack(script, &[]).await;
}
