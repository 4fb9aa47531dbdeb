use bottle::Limits;

/// Limits that are none because this machine has less: for the person to know, not to be refused, since manifests move between
/// machines.
///
/// `room` is what may be written in a bottle without `limits.disk`, in bytes, where its backend can tell.
pub(super) fn notes(limits: &Limits, room: Option<u64>) -> Vec<String> {
    let memory = memory();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    // Exact: machines have less than 2^53 processors.
    let cpus = limits.cpus.filter(|cpus| *cpus > processors as f64);
    let cpus =
        cpus.map(|cpus| format!("limits.cpus is {cpus}, but this machine has {processors}: the bottle may use all of them"));
    let gib = |bytes: u64| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30));
    let bytes = limits.memory.filter(|bytes| *bytes > memory);
    let bytes = bytes.map(|bytes| {
        format!("limits.memory is {}, but this machine has {}: the bottle may use all of it", gib(bytes), gib(memory))
    });
    let disk = limits.disk.zip(room).filter(|(disk, room)| disk > room).map(|(disk, room)| {
        let (disk, room) = (gib(disk), gib(room));
        format!("limits.disk is {disk}, which may be more than this machine has: without it a bottle may write {room}")
    });
    [bytes, cpus, disk].into_iter().flatten().collect()
}

/// Memory of this machine in bytes (`sysinfo(2)`).
fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.totalram)
}

#[cfg(test)]
mod tests {
    use bottle::Limits;

    use super::notes;

    #[test]
    fn only_limits_beyond_the_machine_are_noted() {
        let modest = Limits { memory: Some(1 << 20), cpus: Some(0.5), pids: Some(8), disk: Some(1 << 20), time: None };
        assert!(notes(&modest, Some(1 << 20)).is_empty());
        let vast = Limits { memory: Some(1 << 52), cpus: Some(4096.0), disk: Some(1 << 52), ..modest };
        // What the backend cannot tell is not guessed.
        assert_eq!(notes(&vast, None).len(), 2);
        let notes = notes(&vast, Some(1 << 30));
        let names: Vec<_> = notes.iter().filter_map(|note| note.split_once(' ')).map(|(name, _)| name).collect();
        assert_eq!(names, ["limits.memory", "limits.cpus", "limits.disk"], "{notes:?}");
    }
}
