//! The program's text as the rules look at it: tokens, the paths they name, the functions they make.

use std::fs;
use std::path::Path;

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// A file of the program, without comments and without what is compiled for tests alone.
pub(super) struct Source {
    /// Where it is, from the repository's root: `src/web/hearts.rs`.
    pub(super) path: String,
    /// Its place among the modules: `["web", "hearts"]`.
    pub(super) module: Vec<String>,
    tokens: Vec<Token>,
}

#[derive(Clone)]
struct Token {
    kind: TokenKind,
    text: String,
    line: usize,
}

/// A path that the program names, with what it begins at spelled out.
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
}

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    /// From its first line to its last brace.
    pub(super) lines: usize,
    /// What stands between its braces.
    pub(super) body: usize,
    pub(super) parameters: usize,
    /// Whether it answers requests: free, `pub(super) async`, and with no `Next` to hand on to.
    pub(super) handler: bool,
}

/// Every file below `folder` with this ending, sorted.
pub(super) fn list_files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(folder), ending, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, ending, found);
        } else if path.extension().is_some_and(|given| given == ending) {
            found.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// The text of a file of the repository.
pub(super) fn read_file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The program, without the modules that only its tests have.
pub(super) fn app_sources() -> Vec<Source> {
    let all = list_files("src", "rs").into_iter().map(|path| Source::parse(&path, &read_file(&path)));
    all.filter(|source| !source.module.iter().any(|name| name == "tests")).collect()
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let module = path.trim_start_matches("src/").trim_end_matches(".rs").split('/');
        let module = module.filter(|name| *name != "mod").map(str::to_owned).collect();
        let tokens = without_tests(tokens(text));
        Self { path: path.to_owned(), module, tokens }
    }

    /// Every path that the file names, in `use` lines and elsewhere; one of `crate` or of `super` outside
    /// the top module begins with `crate`.
    pub(super) fn paths(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            if !self.is(at, TokenKind::Ident) {
                at += 1;
                continue;
            }
            let (before, imported) = (found.len(), at > 0 && self.says(at - 1, "use"));
            at = self.path(at, &[], &mut found);
            // A word alone is a crate's name after `use`, and anybody's elsewhere.
            if !imported && found[before..].iter().all(|named| named.segments.len() == 1) {
                found.truncate(before);
            }
        }
        for named in &mut found {
            let up = named.segments.iter().take_while(|name| *name == "super").count();
            if up > 0 && up == self.module.len() {
                named.segments.splice(..up, ["crate".to_owned()]);
            }
        }
        found
    }

    /// Reads the path at `at`, and all its branches where it ends in braces; says where it ended.
    fn path(&self, mut at: usize, stem: &[String], found: &mut Vec<Named>) -> usize {
        let mut segments = stem.to_vec();
        let line = self.tokens[at].line;
        while self.is(at, TokenKind::Ident) {
            segments.push(self.tokens[at].text.clone());
            at += 1;
            if !(self.is(at, TokenKind::Colon) && self.is(at + 1, TokenKind::Colon)) {
                found.push(Named { segments, line });
                return at;
            }
            at += 2;
        }
        if !self.is(at, TokenKind::OpenBrace) {
            found.push(Named { segments, line });
            return at + 1;
        }
        at += 1;
        while !self.is(at, TokenKind::CloseBrace) {
            let branch = self.is(at, TokenKind::Ident) && self.tokens[at].text != "as";
            at = match branch {
                true => self.path(at, &segments, found),
                false => at + 1 + usize::from(self.is(at, TokenKind::Ident)),
            };
        }
        at + 1
    }

    /// Every function with a body, in order.
    pub(super) fn functions(&self) -> Vec<Function> {
        let named = |at: &usize| self.says(*at, "fn") && self.is(at + 1, TokenKind::Ident);
        (0..self.tokens.len()).filter(named).filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let open = self.find(at, &[TokenKind::OpenParen])?;
        let close = self.partner(open);
        let body = self.find(close + 1, &[TokenKind::OpenBrace, TokenKind::Semi])?;
        if self.is(body, TokenKind::Semi) {
            return None;
        }
        let (first, inner, last) = (self.tokens[at].line, self.tokens[body].line, self.tokens[self.partner(body)].line);
        let public = ["pub", "(", "super", ")", "async"];
        let free = self.tokens[..at].iter().map(|token| nesting(token.kind)).sum::<i32>() == 0;
        let shown = at >= public.len() && (0..public.len()).all(|i| self.says(at - public.len() + i, public[i]));
        let hands_on = (open..close).any(|at| self.says(at, "Next"));
        Some(Function {
            name: self.tokens[at + 1].text.clone(),
            line: first,
            lines: last - first + 1,
            body: (last - inner).saturating_sub(1).max(1),
            parameters: self.parameters(open, close),
            handler: free && shown && !hands_on,
        })
    }

    /// How many parameters stand between two parentheses, `self` among them.
    fn parameters(&self, open: usize, close: usize) -> usize {
        let (mut count, mut at, mut empty) = (0, open + 1, true);
        while at < close {
            let comma = self.find(at, &[TokenKind::Comma]).filter(|comma| *comma < close).unwrap_or(close);
            empty &= comma == at;
            count += usize::from(comma > at);
            at = comma + 1;
        }
        if empty { 0 } else { count }
    }

    /// The first token of these kinds that is not inside brackets of its own.
    fn find(&self, from: usize, kinds: &[TokenKind]) -> Option<usize> {
        let mut depth = 0;
        for at in from..self.tokens.len() {
            let kind = self.tokens[at].kind;
            if depth == 0 && kinds.contains(&kind) {
                return Some(at);
            }
            let arrow = at > 0 && self.is(at - 1, TokenKind::Minus);
            depth += match kind {
                TokenKind::Lt => 1,
                TokenKind::Gt if !arrow => -1,
                other => nesting(other),
            };
        }
        None
    }

    /// What closes the bracket at `open`.
    fn partner(&self, open: usize) -> usize {
        let mut depth = 0;
        let closes = |at: &usize| {
            depth += nesting(self.tokens[*at].kind);
            depth == 0
        };
        (open..self.tokens.len()).find(closes).expect("brackets come in pairs")
    }

    fn is(&self, at: usize, kind: TokenKind) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == kind)
    }

    fn says(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }
}

fn nesting(kind: TokenKind) -> i32 {
    match kind {
        TokenKind::OpenParen | TokenKind::OpenBrace | TokenKind::OpenBracket => 1,
        TokenKind::CloseParen | TokenKind::CloseBrace | TokenKind::CloseBracket => -1,
        _ => 0,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut line, mut at, mut found) = (1, 0, Vec::new());
    for token in tokenize(text, FrontmatterAllowed::No) {
        let said = &text[at..at + token.len as usize];
        let nothing = matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }
        );
        if !nothing {
            found.push(Token { kind: token.kind, text: said.to_owned(), line });
        }
        line += said.matches('\n').count();
        at += said.len();
    }
    found
}

/// Leaves out every item that is marked `#[cfg(test)]`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let marked = tokens[at..].iter().map(|token| token.text.as_str()).take(mark.len()).eq(mark);
        if !marked {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += mark.len();
        let mut depth = 0;
        while at < tokens.len() {
            let kind = tokens[at].kind;
            depth += nesting(kind);
            at += 1;
            if depth == 0 && matches!(kind, TokenKind::CloseBrace | TokenKind::Semi) {
                break;
            }
        }
    }
    kept
}
