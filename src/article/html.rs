//! The article in a web page: its text in paragraphs, and what the page says about it.

use std::collections::HashMap;

use dom_smoothie::{Config, Readability, ReadabilityError, TextMode};
use encoding_rs::Encoding;

use super::metadata::Metadata;
use crate::error::{Error, ErrorKind, Result};
use crate::input::encoding::{Decoded, NotText, decode, of_label};

/// Bytes of a page at most. News pages have 0.1 to 3 MB with all their scripts; the search for the
/// article's place takes longer than its share beyond.
pub const MAX_PAGE_BYTES: usize = 16 << 20;
/// Elements open at once at most. Real pages stay below 100; parsers and selectors take time that
/// grows with the square of it.
pub const MAX_DEPTH: usize = 400;
/// Tags at most.
pub const MAX_TAGS: usize = 400_000;

/// Where pages tell their address: an element, and its attribute.
const URL_PLACES: [(&str, &str); 2] = [
    ("link[rel='canonical']", "href"),
    ("meta[property='og:url']", "content"),
];
/// Where pages tell their date, beside the places that the search for the article knows.
const DATE_PLACES: [(&str, &str); 6] = [
    ("meta[itemprop='datePublished']", "content"),
    ("meta[name='date']", "content"),
    ("meta[name='pubdate']", "content"),
    ("meta[name='publish-date']", "content"),
    ("meta[name='DC.date.issued']", "content"),
    ("article time[datetime]", "datetime"),
];

/// A page's article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its paragraphs, with an empty line between them; spans point into this.
    pub text: String,
    /// What the page says about itself.
    pub metadata: Metadata,
}

/// Decodes a page: UTF-8 if it is that, else as it says of itself, else as it looks.
///
/// # Errors
/// As [`decode`].
pub fn decode_page(
    bytes: Vec<u8>,
    asked: Option<&'static Encoding>,
) -> std::result::Result<Decoded, NotText> {
    let said = asked.or_else(|| {
        let valid = std::str::from_utf8(&bytes).is_ok();
        if valid { None } else { declared(&bytes) }
    });
    decode(bytes, said)
}

/// The encoding after `charset=` in the first kilobyte, where the standard wants it.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024)];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:.".contains(c))?;
    of_label(&label[..end])
}

/// Finds the article in a page.
///
/// # Errors
/// If the page is larger or nested deeper than any real one, or has no article.
pub fn extract(html: &str) -> Result<Page> {
    check(html)?;
    let config = Config {
        text_mode: TextMode::Formatted,
        ..Config::default()
    };
    let no_article = |error: ReadabilityError| {
        Error::new(ErrorKind::Empty, "no article in this page")
            .hint("a page of links or scripts alone has none; save the article's own page, or its text")
            .because(error)
    };
    let mut page = Readability::new(html, None, Some(config)).map_err(no_article)?;
    // Before the search takes the page apart.
    let said = |places: &[(&str, &str)]| {
        places.iter().find_map(|(selector, attribute)| {
            let value = page.doc.select(selector).attr(attribute)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        })
    };
    let (url, date) = (said(&URL_PLACES), said(&DATE_PLACES));
    let article = page.parse().map_err(no_article)?;
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    Ok(Page {
        text: article.text_content.to_string(),
        metadata: Metadata {
            date: given(article.published_time).or(date),
            outlet: given(article.site_name),
            title: given(Some(article.title)),
            url,
            kept: Vec::new(),
        },
    })
}

/// Refuses what no real page is before a parser sees it.
fn check(html: &str) -> Result<()> {
    let too_large = |message: String| {
        Err(Error::new(ErrorKind::TooLarge, message)
            .hint("take the article's text out of it first, and give that as .txt"))
    };
    if html.len() > MAX_PAGE_BYTES {
        return too_large(format!(
            "a page of {} MB, larger than {} MB",
            html.len() >> 20,
            MAX_PAGE_BYTES >> 20
        ));
    }
    let (depth, tags) = shape(html);
    if depth > MAX_DEPTH {
        return too_large(format!("a page nested deeper than {MAX_DEPTH} elements"));
    }
    if tags > MAX_TAGS {
        return too_large(format!("a page of more than {MAX_TAGS} tags"));
    }
    Ok(())
}

/// Elements that never have an end tag.
const VOID: [&str; 15] = [
    "area", "base", "br", "col", "embed", "frame", "hr", "img", "input", "link", "meta", "param",
    "source", "track", "wbr",
];
/// Elements whose end tag may be left out: another one ends them.
const SELF_ENDING: [&str; 14] = [
    "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup",
    "colgroup", "rp",
];
/// Elements whose content holds no tags.
const RAW: [&str; 7] = [
    "script", "style", "textarea", "title", "noembed", "xmp", "iframe",
];

/// The most elements open at once (those whose end may be left out not counted), stopping where
/// that is past [`MAX_DEPTH`]; and the number of tags. Linear in the page.
fn shape(html: &str) -> (usize, usize) {
    let bytes = html.as_bytes();
    let mut open: HashMap<String, usize> = HashMap::new();
    let (mut depth, mut deepest, mut tags) = (0usize, 0usize, 0usize);
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|&byte| byte == b'<') {
        at += next + 1;
        if html[at..].starts_with("!--") {
            at = html[at..]
                .find("-->")
                .map_or(bytes.len(), |end| at + end + 3);
            continue;
        }
        let closing = bytes.get(at) == Some(&b'/');
        let start = at + usize::from(closing);
        let length = bytes[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
            .count();
        if length == 0 {
            continue;
        }
        let name = html[start..start + length].to_ascii_lowercase();
        at = start + length;
        tags += 1;
        if VOID.contains(&name.as_str()) || SELF_ENDING.contains(&name.as_str()) {
            continue;
        }
        if !closing {
            let raw = RAW.contains(&name.as_str());
            if raw {
                at = end_of_raw(html, at, &name);
            } else {
                *open.entry(name).or_default() += 1;
                depth += 1;
                deepest = deepest.max(depth);
            }
        } else if let Some(count) = open.get_mut(&name).filter(|count| **count > 0) {
            *count -= 1;
            depth -= 1;
        }
        if deepest > MAX_DEPTH || tags > MAX_TAGS {
            break;
        }
    }
    (deepest, tags)
}

/// Where the end tag of this element stands, or the end of the page.
fn end_of_raw(html: &str, mut at: usize, name: &str) -> usize {
    while let Some(next) = html[at..].find("</") {
        at += next + 2;
        let after = html.as_bytes().get(at..at + name.len());
        if after.is_some_and(|after| after.eq_ignore_ascii_case(name.as_bytes())) {
            return at - 2;
        }
    }
    html.len()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn story() -> String {
        let paragraph = "<p>“We read every page of the contract twice,” Ann Lee said, “and it is a bad deal for this town, for its schools, and for everyone who pays for it.”</p>";
        format!(
            "<html><head><meta charset=utf-8><title>Deal under fire - The Daily Sample</title>\
             <meta property=\"og:site_name\" content=\"The Daily Sample\">\
             <meta property=\"og:url\" content=\"https://sample.example/deal\">\
             <meta property=\"article:published_time\" content=\"2024-05-01\"></head>\
             <body><nav><ul><li><a href=/>Home</a><li><a href=/news>News</a></ul></nav>\
             <article><h1>Deal under fire</h1>{}</article>\
             <footer>© The Daily Sample &amp; partners</footer></body></html>",
            paragraph.repeat(5)
        )
    }

    #[test]
    fn the_article_is_found_in_paragraphs_with_what_the_page_says() {
        let page = extract(&story()).unwrap();
        let paragraphs: Vec<&str> = page.text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(paragraphs.len(), 5, "{:?}", page.text);
        assert!(paragraphs[0].starts_with("“We read every page"));
        assert!(!page.text.contains("Home") && !page.text.contains("partners"));
        assert_eq!(page.metadata.date.as_deref(), Some("2024-05-01"));
        assert_eq!(page.metadata.outlet.as_deref(), Some("The Daily Sample"));
        assert_eq!(
            page.metadata.url.as_deref(),
            Some("https://sample.example/deal")
        );
        assert!(page.metadata.title.unwrap().contains("Deal under fire"));
    }

    #[test]
    fn pages_nested_without_end_are_refused_at_once() {
        for tag in [
            "<div>",
            "<b>",
            "<i class=x>",
            "<table><tr><td>",
            "<ul><li>",
            "<x-y>",
        ] {
            let page = tag.repeat((1 << 20) / tag.len());
            let started = Instant::now();
            let error = extract(&page).unwrap_err();
            assert!(
                [ErrorKind::TooLarge, ErrorKind::Empty].contains(&error.kind()),
                "{error}"
            );
            // Not a speed claim: parsed, such a page takes minutes.
            assert!(started.elapsed().as_secs() < 1, "{tag}");
        }
    }

    #[test]
    fn scripts_and_comments_do_not_nest() {
        let script = format!("<script>\"{}\"</script>", "<div>".repeat(1000));
        let comment = format!("<!-- {} -->", "<div>".repeat(1000));
        let (depth, _) = shape(&format!("<html>{script}{comment}<p>a<p>b<div></div><br>"));
        assert_eq!(depth, 2);
    }

    #[test]
    fn a_page_says_its_encoding() {
        let page = b"<meta charset=\"iso-8859-2\"><p>\xb1\xe6\xea".to_vec();
        let decoded = decode_page(page, None).unwrap();
        assert_eq!(decoded.encoding, Some("ISO-8859-2"));
        assert!(decoded.text.ends_with("ąćę"));
    }
}
