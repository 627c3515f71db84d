//! Variables: what they are defined as, and what they stand for.

use super::{Parsed, Parser};
use crate::dqdl::problem::Problem;
use crate::dqdl::token::TokenKind;
use crate::dqdl::tree::{Text, Variable, VariableValue};

impl Parser<'_> {
    /// `name = "value"` or `name = ["value", …]`.
    pub(super) fn variable(&mut self, name: &str) -> Parsed<()> {
        let start = self.place();
        self.take();
        self.expect('=', "`=` and the variable's value")?;
        let value = self.variable_value()?;
        let place = self.since(&start);
        if name.starts_with(['.', '_']) {
            self.note(place, Problem::VariableName(name.to_owned()));
        } else if self.find(name).is_some() {
            self.note(place, Problem::RedefinedVariable(name.to_owned()));
        } else {
            if texts(&value).iter().any(|text| refers(text.raw())) {
                self.note(place, Problem::NestedVariable(name.to_owned()));
            }
            let span = self.span_since(&start);
            self.variables
                .insert(name.to_owned(), self.ruleset.variables.len());
            self.ruleset.variables.push(Variable {
                name: name.to_owned(),
                value,
                span,
            });
        }
        Ok(())
    }

    fn variable_value(&mut self) -> Parsed<VariableValue> {
        const TEXT: &str = "a text in quotes, or a list of them in `[…]`";
        if !self.eat('[') {
            return self.quoted(TEXT).map(VariableValue::Text);
        }
        let mut texts = vec![self.quoted("a text in quotes")?];
        while self.eat(',') {
            texts.push(self.quoted("a text in quotes")?);
        }
        self.expect(']', "`,` or `]`")?;
        Ok(VariableValue::List(texts))
    }

    fn find(&self, name: &str) -> Option<&VariableValue> {
        let variable = self.ruleset.variables.get(*self.variables.get(name)?)?;
        Some(&variable.value)
    }

    /// `$name`: the name, and what it stands for.
    pub(super) fn dereference(&mut self) -> Parsed<(String, VariableValue)> {
        let start = self.place();
        self.take();
        let TokenKind::Identifier(name) = self.peek() else {
            return Err(self.unexpected("the name of a variable"));
        };
        self.take();
        match self.find(name) {
            Some(value) => Ok((name.to_owned(), value.clone())),
            None => {
                let place = self.since(&start);
                Err(self.stop(place, Problem::UndefinedVariable(name.to_owned())))
            }
        }
    }

    /// `$name` where one text is needed.
    pub(super) fn dereference_text(&mut self) -> Parsed<(String, Text)> {
        let start = self.place();
        match self.dereference()? {
            (name, VariableValue::Text(text)) => Ok((name, text)),
            (name, VariableValue::List(_)) => {
                Err(self.stop(self.since(&start), Problem::VariableIsList(name)))
            }
        }
    }
}

fn texts(value: &VariableValue) -> &[Text] {
    match value {
        VariableValue::Text(text) => std::slice::from_ref(text),
        VariableValue::List(texts) => texts,
    }
}

/// Whether a text holds `$name`, as DQDLParserListener.java of awslabs/dqdl looks for it.
fn refers(text: &str) -> bool {
    let names = text.split('$').skip(1);
    names
        .filter_map(|name| name.chars().next())
        .any(|c| c.is_ascii_alphabetic() || c == '_')
}
