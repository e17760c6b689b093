//! CPU time and memory of a process, from `/proc`. Zero on anything but Linux.

use std::fs;
use std::time::Duration;

/// `/proc` counts in hundredths of a second on every Linux (`USER_HZ`, proc_pid_stat(5)).
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process and its threads.
pub(crate) fn cpu(pid: u32) -> Duration {
    stat(pid).map_or(Duration::ZERO, |stat| stat.own)
}

/// The same for a process and its children, including those that have ended.
pub(crate) fn cpu_of_family(parent: u32) -> Duration {
    let Some(first) = stat(parent) else { return Duration::ZERO };
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = pids.filter_map(stat).filter(|stat| stat.parent == parent);
    first.own + first.ended + children.map(|stat| stat.own).sum::<Duration>()
}

/// Resident memory in MiB, now and at its peak.
pub(crate) fn memory(pid: u32) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
        rest.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1024.0
    };
    (line("VmRSS:"), line("VmHWM:"))
}

struct Stat {
    parent: u32,
    own: Duration,
    ended: Duration,
}

/// Reads the fields of proc_pid_stat(5) after the program's name, which may contain any character.
fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |from: usize| fields[from..from + 2].iter().map(|n| TICK * n.parse().unwrap_or(0)).sum();
    Some(Stat { parent: fields[1].parse().ok()?, own: ticks(11), ended: ticks(13) })
}
