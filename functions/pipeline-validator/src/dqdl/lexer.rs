//! From text to words and signs. Every text has some: what means nothing becomes a token that says so.

use super::token::{Keyword, Token, TokenKind};
use winnow::combinator::{alt, delimited, eof, preceded, repeat};
use winnow::error::ContextError;
use winnow::stream::{LocatingSlice, Stream};
use winnow::token::{any, none_of, one_of, rest, take_till, take_while};
use winnow::{Parser, Result};

type Input<'s> = LocatingSlice<&'s str>;

/// The tokens of a text; the last one is its end.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut input = LocatingSlice::new(source);
    let mut tokens = Vec::new();
    let mut token = preceded(trivia, kind.with_span());
    while let Ok((kind, span)) = token.parse_next(&mut input) {
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, span });
        if end {
            break;
        }
    }
    tokens
}

/// White space and comments. CommonLexerRules.g4 knows no carriage return; files from Windows have them.
fn trivia(input: &mut Input<'_>) -> Result<()> {
    let space = take_while(1.., [' ', '\t', '\r', '\n', '\u{feff}']).void();
    let comment = ('#', take_till(0.., '\n')).void();
    repeat(0.., alt((space, comment))).parse_next(input)
}

fn kind<'s>(input: &mut Input<'s>) -> Result<TokenKind<'s>> {
    alt((
        eof.value(TokenKind::End),
        text,
        "now()".value(TokenKind::Now),
        word,
        one_of([
            ':', ',', '{', '}', '[', ']', '(', ')', '=', '>', '<', '!', '$', '+', '-', '*', '/',
        ])
        .map(TokenKind::Symbol),
        any.map(TokenKind::Unknown),
    ))
    .parse_next(input)
}

/// A text between double quotes, in which `\"` and `\\` are escapes. Unclosed, it ends with its line, so that the lines
/// after it can still be read.
fn text<'s>(input: &mut Input<'s>) -> Result<TokenKind<'s>> {
    let start = input.checkpoint();
    let escape = ('\\', one_of(['"', '\\'])).void();
    let content = repeat::<_, _, (), ContextError, _>(0.., alt((escape, none_of('"').void())));
    let closed: Result<&str> = delimited('"', content.take(), '"').parse_next(input);
    if let Ok(text) = closed {
        return Ok(TokenKind::Text(text));
    }
    input.reset(&start);
    preceded('"', alt((take_till(0.., '\n'), rest)))
        .value(TokenKind::UnclosedText)
        .parse_next(input)
}

/// A number, a word of the language or a name: the longest run of letters, digits, `_` and `.`.
fn word<'s>(input: &mut Input<'s>) -> Result<TokenKind<'s>> {
    take_while(1.., |c: char| {
        c.is_ascii_alphanumeric() || c == '_' || c == '.'
    })
    .map(classify)
    .parse_next(input)
}

fn classify(word: &str) -> TokenKind<'_> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if digits(word) {
        return TokenKind::Integer(word);
    }
    match word.split_once('.') {
        Some((whole, fraction)) if digits(whole) && digits(fraction) => TokenKind::Decimal(word),
        _ => Keyword::of(word).map_or(TokenKind::Identifier(word), TokenKind::Keyword),
    }
}
