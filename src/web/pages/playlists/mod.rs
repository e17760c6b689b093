//! The library, and one playlist of it.

pub(crate) mod index;
pub(crate) mod show;
