//! What a pattern needs: the literals of which every text that it matches holds one, folded as the scan folds a text.

use regex_syntax::hir::{Class, Hir, HirKind};

/// The fewest bytes of a literal that the scan looks for.
pub const SHORTEST: usize = 4;

/// The most literals of one pattern.
const MOST: usize = 48;

/// A repetition of more than this is not unrolled: the engine would step through each of its states at each character.
const LONGEST_REPETITION: u32 = 64;

/// How far a match without an end may reach from its literal, in bytes.
const FARTHEST: u16 = 2_048;

/// A pattern, ready for the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the engine compiles: a space of the entry stands for any white space, a long repetition has no end.
    pub regex: String,
    /// Lower case, white space as one space. Empty where none is long enough.
    pub literals: Vec<String>,
    /// Whether a literal is all there is to match, so that nothing is compiled.
    pub exact: bool,
    /// The most bytes that it matches, where that is told by an end that was taken off; else 0.
    pub longest: u16,
    /// How far a match reaches from a literal of it, in bytes.
    pub reach: u16,
}

/// Reads a pattern.
///
/// # Errors
/// What is wrong with it, in words.
pub fn part(pattern: &str) -> Result<Part, String> {
    let plain = pattern.trim_start_matches("(?i)");
    let regex = widen(plain)?;
    regex_lite::Regex::new(&format!("(?i){regex}"))
        .map_err(|error| format!("regex-lite cannot compile {pattern:?}: {error}"))?;
    let hir = parse(&regex, true)?;
    if hir.properties().minimum_len() == Some(0) {
        return Err(format!("{pattern:?} matches an empty text"));
    }
    let needs = needs(&hir);
    let exact = needs
        .exact
        .as_deref()
        .is_some_and(|set| worth(set) >= SHORTEST)
        && hir.properties().look_set().is_empty()
        && hir.properties().explicit_captures_len() == 0
        && takes_any_space(&hir);
    let literals = match (needs.exact, needs.best) {
        (Some(set), _) | (None, Some(set)) if worth(&set) >= SHORTEST => set,
        _ => Vec::new(),
    };
    // Each space may be as wide as a line break with its indentation.
    let spaces = plain.matches(' ').count() * 100;
    let most = parse(plain, false)?
        .properties()
        .maximum_len()
        .map(|most| most + spaces);
    // Only where an end was taken off does the length have to be looked at.
    let unrolled = parse(&regex.replace(r"\s+", " "), false)?
        .properties()
        .maximum_len()
        .is_some();
    let bytes = |most: Option<usize>| most.and_then(|most| u16::try_from(most).ok());
    Ok(Part {
        regex,
        literals,
        exact,
        longest: if unrolled {
            0
        } else {
            bytes(most).unwrap_or_default()
        },
        reach: bytes(most).unwrap_or(FARTHEST).min(FARTHEST),
    })
}

fn parse(regex: &str, unicode: bool) -> Result<Hir, String> {
    regex_syntax::ParserBuilder::new()
        .unicode(unicode)
        .utf8(false)
        .build()
        .parse(regex)
        .map_err(|error| format!("{regex:?} is no regular expression: {error}"))
}

/// Writes `\s+` for each space outside a class, `\s*` for an optional one, and takes the end off long repetitions.
fn widen(pattern: &str) -> Result<String, String> {
    let mut wide = String::new();
    let mut in_class = false;
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                wide.push(letter);
                wide.extend(letters.next());
            }
            '[' => {
                wide.push(letter);
                if !in_class {
                    in_class = true;
                    // A bracket right behind the opening one is a member.
                    wide.extend(letters.next_if_eq(&'^'));
                    wide.extend(letters.next_if_eq(&']'));
                }
            }
            ']' => {
                in_class = false;
                wide.push(letter);
            }
            ' ' if !in_class => {
                while letters.next_if_eq(&' ').is_some() {}
                // Optional white space may be as wide as any.
                let optional = letters.next_if(|next| matches!(next, '?' | '*')).is_some();
                letters.next_if_eq(&'+');
                wide.push_str(if optional { r"\s*" } else { r"\s+" });
            }
            '{' if !in_class => {
                let bounds: String =
                    std::iter::from_fn(|| letters.next_if(|letter| *letter != '}')).collect();
                letters.next();
                let lazy = letters.next_if_eq(&'?').map_or("", |_| "?");
                wide.push_str(&repetition(&bounds, lazy)?);
            }
            _ => wide.push(letter),
        }
    }
    Ok(wide)
}

fn repetition(bounds: &str, lazy: &str) -> Result<String, String> {
    let number = |text: &str| {
        text.trim()
            .parse::<u32>()
            .map_err(|_| format!("{{{bounds}}} is no repetition; write \\{{ for a brace"))
    };
    let (least, most) = match bounds.split_once(',') {
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
        None => (number(bounds)?, Some(number(bounds)?)),
    };
    Ok(match (least, most) {
        (0, Some(most)) if most > LONGEST_REPETITION => "*?".to_owned(),
        (1, Some(most)) if most > LONGEST_REPETITION => "+?".to_owned(),
        (least, Some(most)) if most > LONGEST_REPETITION => {
            format!("{{{},}}?", least.min(LONGEST_REPETITION))
        }
        _ => format!("{{{bounds}}}{lazy}"),
    })
}

/// What every match of an expression holds.
#[derive(Debug, Clone, Default)]
struct Needs {
    /// Everything that it can match, where that is little.
    exact: Option<Vec<String>>,
    /// Literals one of which is in each match.
    best: Option<Vec<String>>,
}

impl Needs {
    fn exact(set: Vec<String>) -> Self {
        Self {
            exact: Some(set),
            best: None,
        }
    }

    fn required(self) -> Option<Vec<String>> {
        let exact = self.exact.filter(|set| worth(set) > 0);
        exact.or(self.best)
    }
}

/// How much a set is worth: the length of its shortest literal.
fn worth(set: &[String]) -> usize {
    set.iter().map(String::len).min().unwrap_or(0)
}

fn needs(hir: &Hir) -> Needs {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Needs::exact(vec![String::new()]),
        HirKind::Literal(literal) => Needs::exact(vec![fold(&String::from_utf8_lossy(&literal.0))]),
        HirKind::Class(class) => members(class).map_or_else(Needs::default, Needs::exact),
        HirKind::Capture(capture) => needs(&capture.sub),
        HirKind::Concat(parts) => concatenation(parts),
        HirKind::Alternation(parts) => alternation(parts),
        HirKind::Repetition(repetition) => {
            let sub = needs(&repetition.sub);
            let is_space = sub.exact.as_deref() == Some(&[" ".to_owned()]);
            match (repetition.min, repetition.max, sub.exact.clone()) {
                (0, _, _) if is_space => Needs::exact(vec![String::new(), " ".to_owned()]),
                (0, Some(1), Some(mut set)) => {
                    set.push(String::new());
                    Needs::exact(set)
                }
                (0, _, _) => Needs::default(),
                (1, Some(1), _) => sub,
                _ if is_space => sub,
                _ => Needs {
                    exact: None,
                    best: sub.required(),
                },
            }
        }
    }
}

/// Whether an expression takes any white space where it takes one at all, as the folded text does.
fn takes_any_space(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.iter().any(u8::is_ascii_whitespace),
        HirKind::Class(Class::Unicode(class)) => {
            let takes = |letter| {
                class
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(&letter))
            };
            [' ', '\n', '\t']
                .map(takes)
                .windows(2)
                .all(|pair| pair.first() == pair.last())
        }
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Capture(capture) => takes_any_space(&capture.sub),
        HirKind::Repetition(repetition) => takes_any_space(&repetition.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(takes_any_space),
    }
}

fn concatenation(parts: &[Hir]) -> Needs {
    let mut best: Option<Vec<String>> = None;
    let mut consider = |set: Vec<String>| {
        let better = best.as_deref().is_none_or(|best| {
            (worth(&set), std::cmp::Reverse(set.len()))
                > (worth(best), std::cmp::Reverse(best.len()))
        });
        if worth(&set) > 0 && better {
            best = Some(set);
        }
    };
    let mut run = vec![String::new()];
    let mut whole = true;
    for part in parts {
        let Needs { exact, best } = needs(part);
        if let Some(set) = best {
            consider(set);
        }
        run = match exact {
            Some(set) if run.len() * set.len() <= MOST => {
                let joined = run
                    .iter()
                    .flat_map(|left| set.iter().map(move |right| join(left, right)));
                joined.collect()
            }
            set => {
                whole = false;
                consider(std::mem::replace(&mut run, vec![String::new()]));
                set.unwrap_or_else(|| vec![String::new()])
            }
        };
    }
    if whole {
        return Needs::exact(run);
    }
    consider(run);
    Needs { exact: None, best }
}

fn alternation(parts: &[Hir]) -> Needs {
    let parts: Vec<Needs> = parts.iter().map(needs).collect();
    let exact: Option<Vec<Vec<String>>> = parts.iter().map(|part| part.exact.clone()).collect();
    if let Some(set) = exact {
        return Needs::exact(set.concat());
    }
    let required: Option<Vec<Vec<String>>> = parts.into_iter().map(Needs::required).collect();
    Needs {
        exact: None,
        best: required.map(|sets| sets.concat()),
    }
}

/// The members of a small class, folded; white space is one of them at most.
fn members(class: &Class) -> Option<Vec<String>> {
    let Class::Unicode(class) = class else {
        return None;
    };
    let letters: usize = class
        .iter()
        .map(regex_syntax::hir::ClassUnicodeRange::len)
        .sum();
    if letters > 40 {
        return None;
    }
    let mut members: Vec<String> = class
        .iter()
        .flat_map(|range| range.start()..=range.end())
        .map(|letter| {
            if letter.is_whitespace() {
                " ".to_owned()
            } else {
                fold(&letter.to_string())
            }
        })
        .collect();
    members.sort_unstable();
    members.dedup();
    (members.len() <= 4).then_some(members)
}

fn join(left: &str, right: &str) -> String {
    match right.strip_prefix(' ') {
        Some(rest) if left.ends_with(' ') => format!("{left}{rest}"),
        _ => format!("{left}{right}"),
    }
}

/// Lower case, each run of white space as one space.
pub fn fold(text: &str) -> String {
    let mut folded = String::new();
    for letter in text.chars() {
        let space = matches!(letter, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}');
        match letter {
            _ if space && folded.ends_with(' ') => {}
            _ if space => folded.push(' '),
            _ => folded.push(letter.to_ascii_lowercase()),
        }
    }
    folded
}
