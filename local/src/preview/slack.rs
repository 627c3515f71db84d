//! A Slack message as Slack shows it: Block Kit to HTML.

use super::html::{escaped, items, link, text};
use serde_json::Value;

/// The message.
pub(super) fn message(body: &Value) -> String {
    let top: String = items(body, "blocks").iter().map(block).collect();
    let attachments: String = items(body, "attachments").iter().map(attachment).collect();
    let alone = if top.is_empty() && attachments.is_empty() {
        mrkdwn(text(body, "/text"))
    } else {
        String::new()
    };
    format!(
        "<article class=\"slack\"><div class=\"avatar\" aria-hidden=\"true\">P</div><div class=\"said\">\
         <p class=\"who\"><b>Pipewarden</b> <span class=\"app\">APP</span></p>\n{alone}{top}{attachments}</div></article>"
    )
}

fn attachment(attachment: &Value) -> String {
    let blocks: String = items(attachment, "blocks").iter().map(block).collect();
    let colour = text(attachment, "/color");
    let is_colour = colour.len() == 7
        && colour.starts_with('#')
        && colour
            .chars()
            .skip(1)
            .all(|digit| digit.is_ascii_hexdigit());
    let bar = if is_colour { colour } else { "#888888" };
    format!(
        "<div class=\"attachment\"><span class=\"bar\" style=\"background:{bar}\"></span><div>{blocks}</div></div>\n"
    )
}

fn block(block: &Value) -> String {
    match text(block, "/type") {
        "header" => format!("<h3>{}</h3>\n", escaped(text(block, "/text/text"))),
        "section" => section(block),
        "actions" => {
            let buttons: String = items(block, "elements")
                .iter()
                .map(|button| link("button", text(button, "/url"), text(button, "/text/text")))
                .collect();
            format!("<p class=\"buttons\">{buttons}</p>\n")
        }
        "context" => {
            let parts: String = items(block, "elements").iter().map(words).collect();
            format!("<p class=\"context\">{parts}</p>\n")
        }
        "divider" => "<hr>\n".to_owned(),
        other => format!("<p class=\"context\">({} block)</p>\n", escaped(other)),
    }
}

fn section(block: &Value) -> String {
    let said = match block.get("text") {
        Some(said) => format!("<div class=\"text\">{}</div>\n", words(said)),
        None => String::new(),
    };
    let fields: String = items(block, "fields")
        .iter()
        .map(|field| format!("<div>{}</div>", words(field)))
        .collect();
    if fields.is_empty() {
        return said;
    }
    format!("{said}<div class=\"fields\">{fields}</div>\n")
}

/// A text object.
fn words(object: &Value) -> String {
    let said = text(object, "/text");
    match text(object, "/type") {
        "mrkdwn" => mrkdwn(said),
        _ => escaped(said).replace('\n', "<br>"),
    }
}

/// Slack's markup as HTML: code, bold, links, times. Its entities are HTML's.
fn mrkdwn(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    let mut is_bold = false;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let (shown, taken) = code(rest)
            .or_else(|| tag(rest))
            .or_else(|| asterisk(rest, before, &mut is_bold))
            .unwrap_or_else(|| (character(rest, first), token(rest, first)));
        html.push_str(&shown);
        before = first;
        rest = rest.get(taken..).unwrap_or_default();
    }
    if is_bold {
        html.push_str("</b>");
    }
    html
}

/// How long the next character is, or the entity that stands for one.
fn token(rest: &str, first: char) -> usize {
    entity(rest).map_or(first.len_utf8(), str::len)
}

fn entity(rest: &str) -> Option<&'static str> {
    ["&amp;", "&lt;", "&gt;"]
        .into_iter()
        .find(|entity| rest.starts_with(entity))
}

fn character(rest: &str, first: char) -> String {
    match (entity(rest), first) {
        (Some(entity), _) => entity.to_owned(),
        (None, '\n') => "<br>".to_owned(),
        (None, other) => escaped(&other.to_string()),
    }
}

/// Code: three backticks around a block, one around words.
fn code(rest: &str) -> Option<(String, usize)> {
    for (fence, element) in [("```", "pre"), ("`", "code")] {
        let Some(inside) = rest.strip_prefix(fence) else {
            continue;
        };
        let Some(end) = inside.find(fence) else {
            continue;
        };
        let said = inside.get(..end)?;
        if said.is_empty() || (element == "code" && said.contains('\n')) {
            continue;
        }
        let said: String = said
            .split_inclusive(';')
            .map(|part| match part.rfind('&').and_then(|at| part.get(at..)) {
                Some(last) if entity(last) == Some(last) => {
                    let plain = part.strip_suffix(last).unwrap_or_default();
                    format!("{}{last}", escaped(plain))
                }
                _ => escaped(part),
            })
            .collect();
        return Some((
            format!("<{element}>{said}</{element}>"),
            end + 2 * fence.len(),
        ));
    }
    None
}

/// `<https://…|label>` and `<!date^…|text>`; nothing else is made by Pipewarden.
fn tag(rest: &str) -> Option<(String, usize)> {
    let inside = rest.strip_prefix('<')?;
    let end = inside.find('>')?;
    let (target, label) = inside.get(..end)?.split_once('|')?;
    let plain = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let html = if target.starts_with("!date^") {
        format!("<time>{}</time>", escaped(&plain(label)))
    } else {
        link("link", &plain(target), &plain(label))
    };
    Some((html, end + 2))
}

/// An asterisk opens bold at the start of a word and closes it at the end of one.
fn asterisk(rest: &str, before: char, is_bold: &mut bool) -> Option<(String, usize)> {
    let after = rest.strip_prefix('*')?.chars().next().unwrap_or(' ');
    if *is_bold && !before.is_whitespace() {
        *is_bold = false;
        return Some(("</b>".to_owned(), 1));
    }
    let line = rest.lines().next().unwrap_or_default();
    let closes = line.matches('*').count() > 1;
    if !*is_bold && closes && !before.is_alphanumeric() && !after.is_whitespace() {
        *is_bold = true;
        return Some(("<b>".to_owned(), 1));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_as_slack_shows_it() {
        for (text, html) in [
            ("*Root cause*  `a_b`", "<b>Root cause</b>  <code>a_b</code>"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            (
                "&lt;!channel&gt; &amp; \"x\"",
                "&lt;!channel&gt; &amp; &quot;x&quot;",
            ),
            (
                "`a &lt; 'b' &x; c`",
                "<code>a &lt; &#39;b&#39; &amp;x; c</code>",
            ),
            ("```one\ntwo```", "<pre>one\ntwo</pre>"),
            ("<!date^1^{time}|noon>", "<time>noon</time>"),
            (
                "<https://a.example/?x=1&amp;y=2|*a*>",
                "<a class=\"link\" href=\"https://a.example/?x=1&amp;y=2\" rel=\"noopener noreferrer\">*a*</a>",
            ),
            ("<javascript:alert(1)|x>", "<span class=\"link\">x</span>"),
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert(1)&lt;/script&gt;",
            ),
            ("a\nb", "a<br>b"),
        ] {
            assert_eq!(mrkdwn(text), html, "{text}");
        }
    }
}
