//! The searchable lists, their orders and filters.

use crate::domain::displays::{Display, List};
use crate::domain::search::{Condition, Order};

/// A searchable list.
pub(crate) struct ListSpec {
    pub(crate) list: List,
    pub(crate) path: &'static str,
    /// Noun for an entry.
    pub(crate) singular: &'static str,
    pub(crate) plural: &'static str,
    /// Each with its label and the labels of its two directions. The first is the default.
    pub(crate) orders: &'static [(Order, &'static str, [&'static str; 2])],
    /// Filters that are offered as links, with their labels.
    pub(super) filters: &'static [(&'static str, Condition)],
}

pub(crate) static LIBRARY: ListSpec = ListSpec {
    list: List::Playlists,
    path: "/playlists",
    singular: "playlist",
    plural: "playlists",
    orders: &[
        (Order::Usual, "Spotify’s order", ["From the top", "From the end"]),
        (Order::Name, "Name", A_TO_Z),
        (Order::Owner, "Owner", A_TO_Z),
        (Order::Hearted, "Recently hearted", NEWEST_FIRST),
        (Order::Size, "Size", ["Longest first", "Shortest first"]),
    ],
    filters: &[
        ("Mine", Condition::Mine),
        ("Public", Condition::Public(true)),
        ("Private", Condition::Public(false)),
        ("Collaborative", Condition::Collaborative(true)),
        ("Hearted", Condition::Hearted),
        ("Updated", Condition::Updated),
        ("Untagged", Condition::Untagged),
    ],
};

pub(crate) static HEARTS: ListSpec = ListSpec {
    list: List::Hearts,
    path: "/hearts",
    singular: "heart",
    plural: "hearts",
    orders: &[
        (Order::Usual, "Date hearted", NEWEST_FIRST),
        (Order::Name, "Name", A_TO_Z),
        (Order::Owner, "Owner", A_TO_Z),
    ],
    filters: &[
        ("Updated", Condition::Updated),
        ("Unavailable", Condition::Unavailable),
        ("Untagged", Condition::Untagged),
        ("Mine", Condition::Mine),
        ("Public", Condition::Public(true)),
        ("Private", Condition::Public(false)),
        ("Collaborative", Condition::Collaborative(true)),
    ],
};

const A_TO_Z: [&str; 2] = ["A–Z", "Z–A"];
const NEWEST_FIRST: [&str; 2] = ["Newest first", "Oldest first"];

impl ListSpec {
    pub(crate) fn new(list: List) -> &'static Self {
        match list {
            List::Playlists => &LIBRARY,
            List::Hearts => &HEARTS,
        }
    }

    fn find_order(&self, key: &str) -> Option<Order> {
        self.orders.iter().map(|(order, ..)| *order).find(|order| order.key() == key)
    }

    /// Returns the display for the query parameters `sort`, `dir` and `view`. Missing and unknown values are as
    /// `remembered`; an order without a direction is not reversed.
    pub(super) fn display(&self, [sort, dir, view]: [&str; 3], remembered: Display) -> Display {
        let is_known = self.find_order(remembered.order.key()).is_some();
        let remembered = if is_known { remembered } else { Display { order: Order::Usual, ..remembered } };
        let (order, is_reversed) = match self.find_order(sort) {
            Some(order) => (order, dir == "reverse"),
            // Links of earlier releases.
            None if sort == "oldest" && self.list == List::Hearts => (Order::Usual, true),
            None => (remembered.order, remembered.is_reversed || dir == "reverse"),
        };
        Display { order, is_reversed, is_list_view: is_list_view(view).unwrap_or(remembered.is_list_view) }
    }

    /// Returns `display` with the choices of the form. Another order is not reversed at first.
    pub(crate) fn change(&self, display: Display, sort: &str, dir: &str, view: &str) -> Display {
        let order = self.find_order(sort).unwrap_or(display.order);
        let is_reversed = match dir {
            "reverse" => true,
            "usual" => false,
            _ => display.is_reversed && order == display.order,
        };
        Display { order, is_reversed, is_list_view: is_list_view(view).unwrap_or(display.is_list_view) }
    }

    /// Returns the label of the display's direction.
    pub(crate) fn direction_label(&self, display: &Display) -> &'static str {
        let found = self.orders.iter().find(|(order, ..)| *order == display.order);
        found.map_or("", |(.., labels)| labels[usize::from(display.is_reversed)])
    }
}

fn is_list_view(view: &str) -> Option<bool> {
    match view {
        "list" => Some(true),
        "grid" => Some(false),
        _ => None,
    }
}

/// Returns the query parameters for what differs from the remembered display.
pub(super) fn display_params(display: Display, remembered: Display) -> Vec<(&'static str, &'static str)> {
    let mut params = Vec::new();
    if (display.order, display.is_reversed) != (remembered.order, remembered.is_reversed) {
        params.push(("sort", display.order.key()));
        params.extend(display.is_reversed.then_some(("dir", "reverse")));
    }
    if display.is_list_view != remembered.is_list_view {
        params.push(("view", if display.is_list_view { "list" } else { "grid" }));
    }
    params
}
