//! A user's choice of order, direction and view for each list, the same on all devices.

use serde::{Deserialize, Serialize};

use super::{CurrentUser, Result};
use crate::app::App;
use crate::db;
use crate::db::search::Order;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Display {
    pub order: Order,
    /// True for the opposite of the order.
    pub is_reversed: bool,
    /// True for the list view, false for the grid.
    pub is_list_view: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Displays {
    pub playlists: Display,
    pub hearts: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Playlists,
    Hearts,
}

impl List {
    pub fn from_key(key: &str) -> Option<Self> {
        [List::Playlists, List::Hearts].into_iter().find(|list| list.key() == key)
    }

    pub fn key(self) -> &'static str {
        match self {
            List::Playlists => "playlists",
            List::Hearts => "hearts",
        }
    }
}

impl Displays {
    pub fn get(&self, list: List) -> Display {
        match list {
            List::Playlists => self.playlists,
            List::Hearts => self.hearts,
        }
    }
}

/// Stores the user's display of a list. The default is stored by deleting an earlier choice.
pub async fn save(app: &App, user: &CurrentUser, list: List, display: Display) -> Result<()> {
    let json = (display != Display::default()).then(|| serde_json::json!({ list.key(): display }).to_string());
    Ok(db::users::set_display(&app.db, user.id, list.key(), json.as_deref()).await?)
}
