//! Looking at words, taking them, and going on after a problem.

use super::{DEPTH, PROBLEMS, Parsed, Parser, Stop};
use crate::dqdl::problem::Problem;
use crate::dqdl::specification::RuleType;
use crate::dqdl::token::{Keyword, TokenKind};
use crate::dqdl::tree::Span;
use std::ops::Range;

impl<'s> Parser<'s> {
    /// The word that comes next.
    pub(super) fn peek(&self) -> TokenKind<'s> {
        self.peek_at(0)
    }

    /// The word so many words after the next one.
    pub(super) fn peek_at(&self, ahead: usize) -> TokenKind<'s> {
        let token = self.tokens.get(self.position.saturating_add(ahead));
        token.map_or(TokenKind::End, |token| token.kind)
    }

    /// Where the next word is.
    pub(super) fn place(&self) -> Range<usize> {
        let end = self.source.len();
        self.tokens
            .get(self.position)
            .map_or(end..end, |token| token.span.clone())
    }

    /// From a place up to the last word taken.
    pub(super) fn since(&self, start: &Range<usize>) -> Range<usize> {
        let last = self
            .position
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        let end = last.map_or(start.end, |token| token.span.end);
        start.start..end.max(start.start)
    }

    /// The same, for the tree.
    pub(super) fn span_since(&self, start: &Range<usize>) -> Span {
        Span(self.since(start))
    }

    /// Takes the next word.
    pub(super) fn take(&mut self) -> TokenKind<'s> {
        let kind = self.peek();
        if kind != TokenKind::End {
            self.position = self.position.saturating_add(1);
        }
        kind
    }

    pub(super) fn eat(&mut self, symbol: char) -> bool {
        let there = self.peek() == TokenKind::Symbol(symbol);
        if there {
            self.take();
        }
        there
    }

    pub(super) fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        let there = self.peek() == TokenKind::Keyword(keyword);
        if there {
            self.take();
        }
        there
    }

    /// Takes a sign that must be there.
    pub(super) fn expect(&mut self, symbol: char, expected: &'static str) -> Parsed<()> {
        if self.eat(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// Notes that something else should stand here.
    pub(super) fn unexpected(&mut self, expected: &'static str) -> Stop {
        let problem = match self.peek() {
            TokenKind::UnclosedText => Problem::UnclosedText,
            other => Problem::Unexpected {
                expected,
                found: other.to_string(),
            },
        };
        self.stop(self.place(), problem)
    }

    /// Notes a problem, and stops this part.
    pub(super) fn stop(&mut self, place: Range<usize>, problem: Problem) -> Stop {
        self.note(place, problem);
        Stop
    }

    /// Notes a problem that does not keep the rest from being read.
    pub(super) fn note(&mut self, place: Range<usize>, problem: Problem) {
        if self.full() {
            // What follows would be noise.
            self.position = self.tokens.len();
            self.gave_up = true;
        } else {
            self.problems.push((place, problem));
        }
    }

    fn full(&self) -> bool {
        self.problems.len() >= PROBLEMS
    }

    /// Reads something that can hold itself.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH {
            return Err(self.stop(self.place(), Problem::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        let read = read(self);
        self.depth = self.depth.saturating_sub(1);
        read
    }

    /// Goes to the end of the rule that started at a word: the comma after it, or the `]` after the last one.
    pub(super) fn recover(&mut self, start: usize) {
        let stopped_at = self.position;
        if let Some(comma) = stopped_at.checked_sub(1).filter(|comma| *comma > start) {
            self.position = comma;
            if self.peek() == TokenKind::Symbol(',') && self.rule_follows() {
                return;
            }
        }
        self.position = start;
        let (mut brackets, mut parentheses) = (0_usize, 0_usize);
        loop {
            let past = self.position >= stopped_at;
            match self.peek() {
                TokenKind::End => break,
                TokenKind::Keyword(keyword) if past && section(keyword) => break,
                TokenKind::Symbol(',') if past && self.rule_follows() => break,
                TokenKind::Symbol(',') if past && brackets == 0 && parentheses == 0 => break,
                TokenKind::Symbol(']') if past && brackets == 0 => break,
                TokenKind::Symbol('[') => brackets = brackets.saturating_add(1),
                TokenKind::Symbol(']') => brackets = brackets.saturating_sub(1),
                TokenKind::Symbol('(') => parentheses = parentheses.saturating_add(1),
                TokenKind::Symbol(')') => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            self.take();
        }
    }

    /// Whether the name of a rule type comes after the next word: then a rule starts there, whatever is still open.
    fn rule_follows(&self) -> bool {
        matches!(self.peek_at(1), TokenKind::Identifier(name) if RuleType::named(name).is_some())
    }

    /// Goes to the next section.
    pub(super) fn recover_section(&mut self) {
        while !matches!(self.peek(), TokenKind::End)
            && !matches!(self.peek(), TokenKind::Keyword(keyword) if section(keyword))
        {
            self.take();
        }
    }
}

fn section(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::Metadata
            | Keyword::DataSources
            | Keyword::DefaultLabels
            | Keyword::Rules
            | Keyword::Analyzers
    )
}
