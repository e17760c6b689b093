//! Source files as the rules see them: modules, and the paths that they name.

use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, UseTree, Visibility};

/// A file without its comments and without items for tests.
pub(super) struct Source {
    /// From the root of the repository: `src/web/hearts.rs`.
    pub(super) path: String,
    /// `["web", "hearts"]`
    pub(super) module: Vec<String>,
    /// Paths of `use` items and of code, absolute within the crate: `crate::web::hearts::add`.
    pub(super) paths: Vec<Vec<String>>,
    /// Items of submodules that the file re-exports: name and path.
    pub(super) reexports: Vec<(String, Vec<String>)>,
}

impl Source {
    /// Parses the file at `path`, which lies below the source folder `root`.
    pub(super) fn parse(root: &str, path: &str, text: &str) -> Self {
        let module = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').trim_end_matches(".rs");
        let module = module.split('/').filter(|name| !matches!(*name, "mod" | "lib")).map(str::to_owned).collect();
        let mut source = Self { path: path.to_owned(), module, paths: Vec::new(), reexports: Vec::new() };
        source.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")));
        source
    }

    /// The path with `self` and `super` resolved.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let up = path.iter().take_while(|name| matches!(name.as_str(), "self" | "super")).count();
        if up == 0 {
            return path;
        }
        let supers = path[..up].iter().filter(|name| *name == "super").count();
        let base = &self.module[..self.module.len().saturating_sub(supers)];
        ["crate".to_owned()].into_iter().chain(base.iter().cloned()).chain(path[up..].iter().cloned()).collect()
    }

    fn record(&mut self, path: Vec<String>) {
        let path = self.absolute(path);
        self.paths.push(path);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn leaves(tree: &UseTree, stem: &[String], found: &mut Vec<Vec<String>>) {
    let with = |name: &dyn ToString| [stem, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), found),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, stem, found)),
        UseTree::Name(name) if name.ident == "self" => found.push(stem.to_vec()),
        UseTree::Name(name) => found.push(with(&name.ident)),
        UseTree::Rename(rename) => found.push(with(&rename.ident)),
        UseTree::Glob(_) => found.push(stem.to_vec()),
    }
}

/// Paths in the arguments of a macro.
fn macro_paths(tokens: TokenStream, found: &mut Vec<Vec<String>>) {
    let (mut path, mut colons) = (Vec::new(), 0);
    for token in tokens {
        match token {
            TokenTree::Ident(name) if path.is_empty() || colons == 2 => path.push(name.to_string()),
            TokenTree::Punct(colon) if colon.as_char() == ':' && colons < 2 && !path.is_empty() => {
                colons += 1;
                continue;
            }
            other => {
                found.push(std::mem::take(&mut path));
                match other {
                    TokenTree::Ident(name) => path.push(name.to_string()),
                    TokenTree::Group(group) => macro_paths(group.stream(), found),
                    _ => {}
                }
            }
        }
        colons = 0;
    }
    found.push(path);
    found.retain(|path| path.len() > 1);
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let mut found = Vec::new();
        leaves(&item.tree, &[], &mut found);
        for path in found {
            let path = self.absolute(path);
            let inside = path.get(1..).is_some_and(|path| path.starts_with(&self.module));
            match (&item.vis, path.last()) {
                (Visibility::Public(_) | Visibility::Restricted(_), Some(name)) if inside => {
                    self.reexports.push((name.clone(), path));
                }
                _ => self.paths.push(path),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.record(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let mut found = Vec::new();
        macro_paths(call.tokens.clone(), &mut found);
        found.into_iter().for_each(|path| self.record(path));
        visit::visit_macro(self, call);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

/// Every file below `folder` with this extension, sorted.
pub(super) fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(folder), extension, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, extension: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, extension, found);
        } else if path.extension().is_some_and(|given| given == extension) {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// The text of a file of the repository.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The files of a crate, without modules for its tests.
pub(super) fn sources(root: &str) -> Vec<Source> {
    let all = files(root, "rs").into_iter().map(|path| Source::parse(root, &path, &read(&path)));
    all.filter(|source| !source.module.iter().any(|name| name == "tests")).collect()
}
