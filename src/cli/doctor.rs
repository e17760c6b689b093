//! `heartlist doctor`: the findings on a terminal.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::database::Running;
use super::{assemble, clock};
use crate::config::Config;
use crate::domain::doctor::{Finding, Seat, State, count, examine};

/// How wide a line may be.
const WIDTH: usize = 92;

/// Prints what the doctor finds.
///
/// # Errors
/// When something is bad, so that scripts see it by the exit code.
pub(super) async fn run(config: Config) -> Result<()> {
    let database = Running::start(&config).await?;
    let app = assemble(config, &database.url, Arc::new(clock))?;
    let findings = examine(&app, &Seat::Terminal).await;
    database.stop().await;
    findings.iter().for_each(|finding| println!("{}", told(finding)));
    let bad = count(&findings, State::Bad);
    ensure!(bad == 0, "{bad} problem{} to fix", if bad == 1 { "" } else { "s" });
    match count(&findings, State::Note) {
        0 => println!("Nothing to fix."),
        notes => println!("Nothing to fix; {notes} thing{} to know.", if notes == 1 { "" } else { "s" }),
    }
    Ok(())
}

/// One finding as a paragraph.
fn told(finding: &Finding) -> String {
    let mark = match finding.state {
        State::Good => "good",
        State::Note => "note",
        State::Bad => "BAD ",
    };
    let mut text = wrapped(&format!("{mark}  {}: ", finding.about), &finding.what);
    if let Some(exact) = &finding.exact {
        text.push_str(&format!("\n      {exact}\n"));
    }
    if finding.state != State::Good {
        text.push_str(&wrapped("      Why: ", finding.why));
    }
    if let Some(mend) = &finding.mend {
        text.push_str(&wrapped("      Do:  ", mend));
    }
    text
}

/// `text` after `label`, in lines that begin under each other.
fn wrapped(label: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = label.to_owned();
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = " ".repeat(6);
        }
        line.push_str(word);
        line.push(' ');
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_stay_within_the_width_and_keep_every_word() {
        let text = "one two three ".repeat(20);
        let lines = super::wrapped("good  Some: ", text.trim());
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.chars().count() <= super::WIDTH));
        assert_eq!(lines.split_whitespace().skip(2).collect::<Vec<_>>().join(" "), text.trim());
    }
}
