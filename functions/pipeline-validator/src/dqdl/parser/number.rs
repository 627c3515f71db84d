//! Arithmetic.

use super::{Parsed, Parser};
use crate::dqdl::condition::{Arithmetic, Expression, Term};
use crate::dqdl::token::{Keyword, TokenKind};

const VALUE: &str = "a value: a number, a text in quotes, a date in quotes or `now()`";

impl Parser<'_> {
    /// Terms, and operators between them.
    pub(super) fn expression(&mut self) -> Parsed<Expression> {
        let first = self.term()?;
        let mut rest = Vec::new();
        while let Some(operator) = self.arithmetic() {
            self.take();
            rest.push((operator, self.term()?));
        }
        Ok(Expression { first, rest })
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        match self.peek() {
            TokenKind::Symbol('+') => Some(Arithmetic::Add),
            TokenKind::Symbol('-') => Some(Arithmetic::Subtract),
            TokenKind::Symbol('*') => Some(Arithmetic::Multiply),
            TokenKind::Symbol('/') => Some(Arithmetic::Divide),
            _ => None,
        }
    }

    fn term(&mut self) -> Parsed<Term> {
        match (self.peek(), self.peek_at(1)) {
            (TokenKind::Integer(number) | TokenKind::Decimal(number), _) => {
                self.take();
                Ok(Term::Number(number.to_owned()))
            }
            (TokenKind::Symbol('-'), TokenKind::Integer(number) | TokenKind::Decimal(number)) => {
                self.take();
                self.take();
                Ok(Term::Number(format!("-{number}")))
            }
            (TokenKind::Keyword(Keyword::Null), _) => {
                self.take();
                Ok(Term::Null)
            }
            (TokenKind::Symbol('('), _) => self.nested(Self::group),
            (TokenKind::Identifier(name), TokenKind::Symbol('(')) => {
                // `now ( )` would be a function of that name, which cannot be meant.
                if name == "now" {
                    return Err(self.unexpected("`now()`, written without spaces"));
                }
                self.nested(|parser| parser.call(name))
            }
            _ => Err(self.unexpected(VALUE)),
        }
    }

    fn group(&mut self) -> Parsed<Term> {
        self.take();
        let inner = self.expression()?;
        self.expect(')', "an operator or `)`")?;
        Ok(if inner.rest.is_empty() {
            inner.first
        } else {
            Term::Group(Box::new(inner))
        })
    }

    fn call(&mut self, name: &str) -> Parsed<Term> {
        self.take();
        self.take();
        let mut arguments = Vec::new();
        if !self.eat(')') {
            arguments.push(self.expression()?);
            while self.eat(',') {
                arguments.push(self.expression()?);
            }
            self.expect(')', "`,` or `)`")?;
        }
        Ok(Term::Call {
            name: name.to_owned(),
            arguments,
        })
    }
}
