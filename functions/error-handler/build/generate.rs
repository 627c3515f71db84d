//! The entries as static data: numbers that point into one text, so that starting the function relocates nothing.

use crate::check::Checked;
use crate::literal::{Part, SHORTEST};
use crate::schema::{Example, Facts};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::path::Path;

/// Bits of the hash of a gram: a table of that size stays in a processor's first cache.
const BITS: u32 = 12;

#[derive(Default)]
struct Data {
    blob: String,
    known: HashMap<String, usize>,
    texts: Vec<String>,
    numbers: Vec<i32>,
    parts: Vec<String>,
    groups: Vec<String>,
    facts: Vec<String>,
    entries: Vec<String>,
    /// Literals and the parts that need them.
    literals: BTreeMap<String, Vec<usize>>,
}

/// Writes `knowledge.txt` and `knowledge.rs`.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(entries: &[Checked], out: &Path) -> std::io::Result<()> {
    let mut data = Data::default();
    for checked in entries {
        let entry = data.entry(checked);
        data.entries.push(entry);
    }
    let code = data.code(&commonness(entries));
    std::fs::write(out.join("knowledge.txt"), &data.blob)?;
    std::fs::write(out.join("knowledge.rs"), code)
}

impl Data {
    fn text(&mut self, text: &str) -> String {
        let at = match self.known.get(text) {
            Some(at) => *at,
            None => {
                let at = self.blob.len();
                self.blob.push_str(text);
                self.known.insert(text.to_owned(), at);
                at
            }
        };
        format!("t({at},{})", text.len())
    }

    fn texts(&mut self, texts: &[String]) -> String {
        let from = self.texts.len();
        for text in texts {
            let text = self.text(text.trim());
            self.texts.push(text);
        }
        format!("s({from},{})", texts.len())
    }

    fn numbers(&mut self, numbers: impl Iterator<Item = i32>) -> String {
        let from = self.numbers.len();
        self.numbers.extend(numbers);
        format!("s({from},{})", self.numbers.len() - from)
    }

    fn parts(&mut self, parts: &[Part]) -> String {
        let from = self.parts.len();
        let entry = self.entries.len();
        for part in parts {
            for literal in &part.literals {
                let needed_by = self.literals.entry(literal.clone()).or_default();
                needed_by.push(self.parts.len());
                needed_by.dedup();
            }
            let regex = self.text(&part.regex);
            let (exact, filed) = (part.exact, !part.literals.is_empty());
            let (longest, reach) = (part.longest, part.reach);
            self.parts.push(format!(
                "Part{{regex:{regex},exact:{exact},longest:{longest},reach:{reach},filed:{filed},entry:{entry}}}"
            ));
        }
        format!("s({from},{})", parts.len())
    }

    fn facts(&mut self, facts: &Facts) -> String {
        let services = self.texts(&facts.service);
        let errors = self.texts(&facts.error);
        let http_status = self.numbers(facts.http_status.iter().map(|status| i32::from(*status)));
        let exit_code = self.numbers(facts.exit_code.iter().copied());
        let athena_category = self.numbers(facts.athena_category.iter().copied());
        let glue_category = self.texts(&facts.glue_category);
        let (retryable, tell) = (facts.retryable, facts.tell());
        format!(
            "Facts{{services:{services},errors:{errors},http_status:{http_status},exit_code:{exit_code},athena_category:{athena_category},glue_category:{glue_category},retryable:{retryable:?},tell:{tell}}}"
        )
    }

    fn entry(&mut self, checked: &Checked) -> String {
        let entry = &checked.entry;
        let groups_from = self.groups.len();
        for pattern in &checked.patterns {
            let group = self.parts(pattern);
            self.groups.push(group);
        }
        let patterns = format!("s({groups_from},{})", checked.patterns.len());
        let unless = self.parts(&checked.unless);
        let facts = match &entry.evidence {
            Some(facts) => {
                let facts = self.facts(facts);
                self.facts.push(facts);
                format!("Some({})", self.facts.len() - 1)
            }
            None => "None".to_owned(),
        };
        let (id, summary) = (self.text(&entry.id), self.text(entry.summary.trim()));
        let (actions, steps) = (self.texts(&entry.actions), self.texts(&entry.steps));
        let (readings, links) = (self.texts(&entry.readings), self.texts(&entry.links));
        format!(
            "Entry{{id:{id},code:RootCause::{:?},transient:{},confidence:Confidence::{:?},rank:Rank::{:?},both:{},patterns:{patterns},unless:{unless},facts:{facts},summary:{summary},actions:{actions},steps:{steps},readings:{readings},links:{links},escalate_to:Escalation::{:?},shift:Shift::{:?}}}",
            entry.code,
            entry.transient,
            entry.confidence,
            entry.rank,
            entry.both,
            entry.escalate_to,
            entry.severity
        )
    }

    fn code(&mut self, commonness: &HashMap<[u8; SHORTEST], usize>) -> String {
        let mut literals = Vec::new();
        let mut needed = Vec::new();
        let mut buckets: Vec<Vec<(u32, usize)>> = vec![Vec::new(); 1 << BITS];
        for (literal, parts) in std::mem::take(&mut self.literals) {
            let (gram, at) = rarest(literal.as_bytes(), commonness);
            let text = self.text(&literal);
            let from = needed.len();
            needed.extend(parts.iter().map(ToString::to_string));
            if let Some(bucket) = buckets.get_mut(bucket(gram)) {
                bucket.push((gram, literals.len()));
            }
            literals.push(format!(
                "Literal{{text:{text},gram_at:{at},parts:s({from},{})}}",
                parts.len()
            ));
        }
        let (starts, grams) = flat(buckets);
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        let mut code = format!("pub(crate) const BITS: u32 = {BITS};\n");
        for (name, kind, items) in [
            ("TEXTS", "Text", &self.texts),
            ("NUMBERS", "i32", &numbers),
            ("PARTS", "Part", &self.parts),
            ("GROUPS", "Span", &self.groups),
            ("FACTS", "Facts", &self.facts),
            ("ALL", "Entry", &self.entries),
            ("LITERALS", "Literal", &literals),
            ("NEEDED_BY", "u16", &needed),
            ("STARTS", "u16", &starts),
            ("GRAMS", "(u32, u16)", &grams),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(
                code,
                "pub(crate) static {name}: [{kind}; {}] = [{}];",
                items.len(),
                items.join(",")
            );
        }
        code
    }
}

/// Buckets behind one another: where each starts, and what is in them.
fn flat(buckets: Vec<Vec<(u32, usize)>>) -> (Vec<String>, Vec<String>) {
    let mut starts = vec!["0".to_owned()];
    let mut grams = Vec::new();
    for bucket in buckets {
        grams.extend(
            bucket
                .into_iter()
                .map(|(gram, literal)| format!("({gram},{literal})")),
        );
        starts.push(grams.len().to_string());
    }
    (starts, grams)
}

/// The slot of a gram; the scan has the same.
fn bucket(gram: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - BITS)) as usize
}

/// The gram of a literal that is least common, so that a text seldom has it without the literal.
fn rarest(literal: &[u8], commonness: &HashMap<[u8; SHORTEST], usize>) -> (u32, usize) {
    literal
        .windows(SHORTEST)
        .enumerate()
        .filter_map(|(at, window)| Some((<[u8; SHORTEST]>::try_from(window).ok()?, at)))
        // Offsets are bytes.
        .take(200)
        .min_by_key(|(gram, _)| commonness.get(gram).copied().unwrap_or_default())
        .map_or((0, 0), |(gram, at)| (u32::from_le_bytes(gram), at))
}

/// How often each gram stands in the examples and the literals.
fn commonness(entries: &[Checked]) -> HashMap<[u8; SHORTEST], usize> {
    let mut counts = HashMap::new();
    for checked in entries {
        let parts = checked.patterns.iter().flatten().chain(&checked.unless);
        let literals = parts.flat_map(|part| part.literals.iter().cloned());
        let examples = checked.entry.examples.iter().map(|example| match example {
            Example::Text(text) => text.clone(),
            Example::Failure(failure) => [&failure.error, &failure.cause, &failure.text]
                .into_iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
        });
        for text in literals.chain(examples) {
            for window in crate::literal::fold(&text).as_bytes().windows(SHORTEST) {
                if let Ok(gram) = <[u8; SHORTEST]>::try_from(window) {
                    *counts.entry(gram).or_insert(0) += 1;
                }
            }
        }
    }
    counts
}
