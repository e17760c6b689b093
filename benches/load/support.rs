//! HTTP client and page parser of the integration tests.

#[path = "../../tests/it/support/page.rs"]
#[expect(dead_code, reason = "only the tests use all of it")]
pub(crate) mod page;
#[path = "../../tests/it/support/visitor.rs"]
#[expect(dead_code, reason = "only the tests use all of it")]
pub(crate) mod visitor;

/// Does nothing: only the tests validate the HTML of every page.
fn assert_valid_html(_: &page::Page) {}
