//! Rules that are joined, and parentheses around them.

use super::{DEPTH, Parsed, Parser};
use crate::dqdl::problem::Problem;
use crate::dqdl::token::{Keyword, TokenKind};
use crate::dqdl::tree::{CompositeRule, LogicalOperator, Rule, Span};

/// A rule on its way into the tree.
struct Node {
    rule: Rule,
    /// How deep composites lie in each other.
    depth: usize,
}

impl Parser<'_> {
    /// A rule of the list.
    pub(super) fn rule(&mut self) -> Parsed<Rule> {
        Ok(self.any_of()?.rule)
    }

    fn any_of(&mut self) -> Parsed<Node> {
        let mut joined = self.all_of()?;
        while self.eat_keyword(Keyword::Or) {
            let next = self.all_of()?;
            joined = self.join(LogicalOperator::Or, joined, next)?;
        }
        Ok(joined)
    }

    fn all_of(&mut self) -> Parsed<Node> {
        let mut joined = self.operand_rule()?;
        while self.eat_keyword(Keyword::And) {
            let next = self.operand_rule()?;
            joined = self.join(LogicalOperator::And, joined, next)?;
        }
        Ok(joined)
    }

    fn operand_rule(&mut self) -> Parsed<Node> {
        if self.peek() != TokenKind::Symbol('(') {
            return Ok(Node {
                rule: Rule::Single(Box::new(self.single()?)),
                depth: 0,
            });
        }
        let start = self.place();
        let mut node = self.nested(|parser| {
            parser.take();
            let node = parser.any_of()?;
            parser.expect(')', "`and`, `or` or `)`")?;
            Ok(node)
        })?;
        let place = self.place();
        if self.peek() == TokenKind::Keyword(Keyword::Labels) {
            let labels = self.labels()?;
            if !node.rule.labels().is_empty() {
                self.note(place, Problem::LabelsTwice);
            }
            match &mut node.rule {
                Rule::Single(rule) => rule.labels = labels,
                Rule::Composite(rule) => rule.labels = labels,
            }
        }
        let span = self.span_since(&start);
        match &mut node.rule {
            Rule::Single(rule) => rule.span = span,
            Rule::Composite(rule) => rule.span = span,
        }
        Ok(node)
    }

    /// Joins two rules. A chain of one operator becomes one composite, as Glue prints it; any other tree is kept.
    fn join(&mut self, operator: LogicalOperator, left: Node, right: Node) -> Parsed<Node> {
        let place = left.rule.span().0.start..right.rule.span().0.end;
        let labelled = [&left.rule, &right.rule]
            .into_iter()
            .find(|rule| !rule.labels().is_empty());
        if let Some(rule) = labelled {
            self.note(rule.span().0.clone(), Problem::LabelsInside);
        }
        let chain = |node: &Node| match &node.rule {
            Rule::Single(_) => true,
            Rule::Composite(rule) => node.depth == 1 && rule.operator == operator,
        };
        let (rules, depth) = if chain(&left) && chain(&right) {
            let mut rules = members(left.rule);
            rules.append(&mut members(right.rule));
            (rules, 1)
        } else {
            let depth = left.depth.max(right.depth).saturating_add(1);
            (vec![left.rule, right.rule], depth)
        };
        if depth > DEPTH {
            return Err(self.stop(place, Problem::TooDeep));
        }
        let span = Span(place);
        let rule = CompositeRule {
            operator,
            rules,
            labels: Vec::new(),
            span,
        };
        Ok(Node {
            rule: Rule::Composite(rule),
            depth,
        })
    }
}

/// The rules that a rule adds to a chain.
fn members(rule: Rule) -> Vec<Rule> {
    match rule {
        Rule::Composite(rule) => rule.rules,
        single @ Rule::Single(_) => vec![single],
    }
}
