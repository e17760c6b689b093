//! `heartlist doctor`: prints the findings on a terminal.

use crate::app::App;
use crate::count::pluralize;
use crate::domain::doctor::{Finding, RequestContext, Status, count, examine};

const LINE_WIDTH: usize = 92;

/// Prints the findings. Returns the number of problems.
pub(super) async fn print_findings(app: &App) -> usize {
    let findings = examine(app, &RequestContext::Terminal).await;
    findings.iter().for_each(|finding| println!("{}", format_finding(finding)));
    let problems = count(&findings, Status::Bad);
    match (problems, count(&findings, Status::Note)) {
        (0, 0) => println!("Nothing to fix."),
        (0, notes) => println!("Nothing to fix; {} to know.", pluralize(notes, "thing")),
        _ => {}
    }
    problems
}

fn format_finding(finding: &Finding) -> String {
    let label = match finding.status {
        Status::Good => "good",
        Status::Note => "note",
        Status::Bad => "BAD ",
    };
    let mut text = wrap(&format!("{label}  {}: ", finding.subject), &finding.message);
    if let Some(value) = &finding.value {
        text.push_str(&format!("\n      {value}\n"));
    }
    if finding.status != Status::Good {
        text.push_str(&wrap("      Why: ", finding.rationale));
    }
    if let Some(fix) = &finding.fix {
        text.push_str(&wrap("      Do:  ", fix));
    }
    text
}

/// Wraps `text` after `label`, with the following lines indented.
fn wrap(label: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = label.to_owned();
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() > LINE_WIDTH {
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
    fn wrap_keeps_every_word_within_the_width() {
        let text = "one two three ".repeat(20);
        let lines = super::wrap("good  Some: ", text.trim());
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.chars().count() <= super::LINE_WIDTH));
        assert_eq!(lines.split_whitespace().skip(2).collect::<Vec<_>>().join(" "), text.trim());
    }
}
