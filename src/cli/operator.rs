//! `heartlist operator`: names operators where nobody can sign in as one.

use anyhow::{Result, ensure};
use clap::Subcommand;

use crate::app::{App, is_loopback};
use crate::domain::operators;
use crate::ids::IdentityRef;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Action {
    /// Print a link that makes its bearer operator, once, within a day (default).
    Link,
    /// Make somebody operator who has an account.
    Add {
        /// As the account page shows it: spotify:q7Zt3LmB0x
        identity: IdentityRef,
    },
    /// End somebody's role as operator.
    Remove {
        /// As the account page shows it: spotify:q7Zt3LmB0x
        identity: IdentityRef,
    },
}

pub(super) async fn run(app: &App, action: &Action) -> Result<()> {
    let (identity, is_operator) = match action {
        Action::Link => {
            println!("{}", format_link(app, &operators::create_link(app, app.now()).await?));
            return Ok(());
        }
        Action::Add { identity } => (identity, true),
        Action::Remove { identity } => (identity, false),
    };
    let is_done = operators::set_role(app, identity, is_operator).await?;
    ensure!(is_done, "nothing was changed: nobody has this identity, OPERATOR names it, or nobody else is operator");
    println!("Done.");
    Ok(())
}

/// Prints a link at the start if there is no operator. A demo that others reach has none: everybody there signs in as the
/// same made-up people.
pub(super) async fn print_first_link(app: &App) {
    if app.config.demo && !is_loopback(&app.config.base_url) {
        return;
    }
    match operators::create_first_link(app, app.now()).await {
        Ok(Some(path)) => println!("There is no operator yet. {}", format_link(app, &path)),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "no link for an operator could be made"),
    }
}

fn format_link(app: &App, path: &str) -> String {
    let base = app.config.base_url.as_str().trim_end_matches('/');
    format!("To become operator of this Heartlist, open the link within a day: {base}{path}")
}
