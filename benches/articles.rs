//! What the benches read: an article written for them, about 800 words, a long piece of US news with direct, mixed
//! and indirect speech, names, pronouns and paragraphs without speech in news' proportions.

const ARTICLE: &str = include_str!("article.txt");

/// Articles with another number in the words of each, so that none is another's copy.
pub fn articles(count: usize) -> Vec<String> {
    let number = |at: usize| ARTICLE.replace("4,180", &format!("4,{:03}", 180 + at));
    (0..count).map(number).collect()
}
