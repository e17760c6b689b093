//! CPU time and memory of a process, from `/proc`. Zero on anything but Linux.

use std::fs;
use std::time::Duration;

/// Unit of CPU times in `/proc` (`USER_HZ` is 100 on every Linux, proc_pid_stat(5)).
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process and its threads.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    read_stat(pid).map_or(Duration::ZERO, |stat| stat.cpu_time)
}

/// User and system time of a process and its children, including children that have ended.
pub(crate) fn cpu_time_with_children(parent: u32) -> Duration {
    let Some(process) = read_stat(parent) else { return Duration::ZERO };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids.filter_map(read_stat).filter(|stat| stat.parent == parent);
    process.cpu_time + process.ended_children + children.map(|stat| stat.cpu_time).sum::<Duration>()
}

/// Resident memory in MiB: current and peak.
pub(crate) fn resident_mib(pid: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mib = |field: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0 kB");
        value.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
    };
    (mib("VmRSS:"), mib("VmHWM:"))
}

struct Stat {
    parent: u32,
    cpu_time: Duration,
    /// CPU time of children that have ended.
    ended_children: Duration,
}

/// Reads the fields of proc_pid_stat(5) after the program's name, which may contain any character.
fn read_stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let time = |from: usize| fields[from..from + 2].iter().map(|ticks| TICK * ticks.parse().unwrap_or(0)).sum();
    Some(Stat { parent: fields[1].parse().ok()?, cpu_time: time(11), ended_children: time(13) })
}
