//! The sections of a ruleset.

use super::{Parsed, Parser};
use crate::dqdl::problem::Problem;
use crate::dqdl::token::{Keyword, TokenKind};
use crate::dqdl::tree::Text;

/// The sections, in the order of the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Metadata,
    DataSources,
    Variables,
    DefaultLabels,
    Rules,
    Analyzers,
}

const LIST: &str = "`= [`";

impl<'s> Parser<'s> {
    /// All of it.
    pub(super) fn document(&mut self) {
        let mut seen = Vec::new();
        loop {
            let start = self.place();
            let (section, name) = match self.peek() {
                TokenKind::End => break,
                TokenKind::Keyword(Keyword::Metadata) => (Section::Metadata, "Metadata"),
                TokenKind::Keyword(Keyword::DataSources) => (Section::DataSources, "DataSources"),
                TokenKind::Keyword(Keyword::DefaultLabels) => {
                    (Section::DefaultLabels, "DefaultLabels")
                }
                TokenKind::Keyword(Keyword::Rules) => (Section::Rules, "Rules"),
                TokenKind::Keyword(Keyword::Analyzers) => (Section::Analyzers, "Analyzers"),
                TokenKind::Identifier(name) if self.peek_at(1) == TokenKind::Symbol('=') => {
                    if seen.iter().any(|section| *section > Section::DefaultLabels) {
                        self.note(start, Problem::SectionOrder("a variable"));
                    }
                    if self.variable(name).is_err() {
                        self.recover_section();
                    }
                    seen.push(Section::Variables);
                    continue;
                }
                _ => {
                    self.trailing(&seen);
                    continue;
                }
            };
            // Variables and default labels may mix; everything else has its place, and comes once.
            if seen.iter().any(|other| *other >= section) {
                self.note(start, Problem::SectionOrder(name));
            }
            seen.push(section);
            if self.section(section).is_err() {
                self.recover_section();
            }
        }
        if self.problems.is_empty()
            && self.ruleset.rules.is_empty()
            && self.ruleset.analyzers.is_empty()
        {
            self.note(0..0, Problem::Nothing);
        }
    }

    /// Text that belongs to no section.
    fn trailing(&mut self, seen: &[Section]) {
        let _ = self.unexpected(match seen.iter().max() {
            Some(Section::Analyzers) => "the end",
            Some(Section::Rules) => "`Analyzers = […]` or the end",
            _ => "`Rules = […]`",
        });
        self.recover_section();
    }

    fn section(&mut self, section: Section) -> Parsed<()> {
        match section {
            Section::Metadata => self.metadata(),
            Section::DataSources => self.sources(),
            Section::DefaultLabels => {
                self.ruleset.default_labels = self.labels()?;
                Ok(())
            }
            Section::Rules => self.list(|parser| {
                let rule = parser.rule()?;
                parser.ruleset.rules.push(rule);
                Ok(())
            }),
            Section::Analyzers => self.list(|parser| {
                let analyzer = parser.analyzer()?;
                parser.ruleset.analyzers.push(analyzer);
                Ok(())
            }),
            Section::Variables => Ok(()),
        }
    }

    /// `= [item, …]`; a broken item does not hide the next.
    fn list(&mut self, item: impl Fn(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.take();
        self.expect('=', LIST)?;
        self.expect('[', "`[`")?;
        if self.eat(']') {
            return Ok(());
        }
        loop {
            let start = self.position;
            let read = item(self).and_then(|()| match self.peek() {
                TokenKind::Symbol(',' | ']') => Ok(()),
                _ => Err(self.unexpected(self.after_item())),
            });
            if read.is_err() {
                self.recover(start);
            }
            if !self.eat(',') {
                break;
            }
        }
        self.eat(']');
        Ok(())
    }

    /// What may follow the item that has just been read.
    fn after_item(&self) -> &'static str {
        match self.peek() {
            TokenKind::Identifier(_) => {
                "`,` before the next rule, `where`, `with`, `labels`, `and`, `or` or `]`"
            }
            _ => "`,`, `and`, `or` or `]`",
        }
    }

    fn metadata(&mut self) -> Parsed<()> {
        self.dictionary(
            "`\"Version\"`, the only key of Metadata",
            |parser, key| match key {
                "Version" => Some(parser.version()),
                _ => None,
            },
        )
    }

    fn version(&mut self) -> Parsed<bool> {
        let version = self.quoted("the version in quotes, such as `\"1.0\"`")?;
        Ok(self.ruleset.metadata.version.replace(version).is_none())
    }

    fn sources(&mut self) -> Parsed<()> {
        let keys = "`\"Primary\"` or `\"AdditionalDataSources\"`";
        self.dictionary(keys, |parser, key| match key {
            "Primary" => Some(parser.primary()),
            "AdditionalDataSources" => Some(parser.additional()),
            _ => None,
        })
    }

    fn primary(&mut self) -> Parsed<bool> {
        let name = self.quoted("the name of a dataset in quotes")?;
        Ok(self.ruleset.sources.primary.replace(name).is_none())
    }

    fn additional(&mut self) -> Parsed<bool> {
        let names = self.names()?;
        let first = self.ruleset.sources.additional.is_empty();
        self.ruleset.sources.additional = names;
        Ok(first)
    }

    /// `= {"key": value, …}`. `value` reads the value of a key that the section has, and says whether the key is new.
    fn dictionary(
        &mut self,
        keys: &'static str,
        value: impl Fn(&mut Self, &str) -> Option<Parsed<bool>>,
    ) -> Parsed<()> {
        self.take();
        self.expect('=', "`= {`")?;
        self.expect('{', "`{`")?;
        loop {
            let place = self.place();
            let key = self.quoted(keys)?;
            self.expect(':', "`:` and a value")?;
            match value(self, key.raw()) {
                Some(new) if new.as_ref().is_ok_and(|new| *new) => {}
                Some(new) => {
                    new?;
                    self.note(place, Problem::KeyTwice(key.to_string()));
                }
                None => {
                    let problem = Problem::Key {
                        expected: keys,
                        found: key.to_string(),
                    };
                    return Err(self.stop(place, problem));
                }
            }
            if !self.eat(',') {
                break;
            }
        }
        self.expect('}', "`,` or `}`")
    }

    fn names(&mut self) -> Parsed<Vec<Text>> {
        self.expect('[', "`[` and the names of datasets in quotes")?;
        let mut names = vec![self.quoted("the name of a dataset in quotes")?];
        while self.eat(',') {
            names.push(self.quoted("the name of a dataset in quotes")?);
        }
        self.expect(']', "`,` or `]`")?;
        Ok(names)
    }
}
