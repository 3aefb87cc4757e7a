//! Quotes by the tagger and the rules together: text in, attributed quotes out.

use std::sync::LazyLock;

use proptest::prelude::*;
use quotestance::attribution::{AttributedQuote, Rule};
use quotestance::quote::QuoteKind;
use quotestance::span::Span;
use quotestance::tagger::Calibration;
use quotestance::{QuoteFinder, TaggedSpan, Tagger};

static FINDER: LazyLock<QuoteFinder> = LazyLock::new(|| {
    QuoteFinder::with_tagger(Tagger::embedded(&Default::default()).expect("it is built in"))
});

fn find(text: &str) -> Vec<AttributedQuote> {
    FINDER.find_all(&[text]).unwrap().remove(0)
}

/// `words // words | mention | name` of each quote; `-` stands for what is not known.
fn shown(text: &str, quotes: &[AttributedQuote]) -> Vec<String> {
    let line = |quote: &AttributedQuote| {
        let words: Vec<&str> = quote.quote.spans.iter().map(|span| span.of(text)).collect();
        let mention = quote.attribution.mention.map_or("-", |span| span.of(text));
        let name = quote.attribution.speaker.as_ref();
        let name = name.map_or("-", |speaker| speaker.name.as_str());
        format!("{} | {mention} | {name}", words.join(" // "))
    };
    quotes.iter().map(line).collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(shown(text, &find(text)), expected, "in {text:?}");
}

#[test]
fn direct_mixed_and_indirect_quotes_have_their_speakers() {
    check(
        "Mayor Lena Brandt said on Monday that the bridge would open in May.\n\n\
         “We asked for a bridge,” said Ada Okafor, who runs the ferry. “They sent us a leaflet.”\n\n\
         Okafor said the plan was “a mistake.”",
        &[
            "the bridge would open in May | Mayor Lena Brandt | Lena Brandt",
            "We asked for a bridge, // They sent us a leaflet. | Ada Okafor, who runs the ferry | Ada Okafor",
            "the plan was “a mistake.” | Okafor | Ada Okafor",
        ],
    );
}

#[test]
fn whoever_is_written_to_is_no_speaker() {
    check(
        "“Keep the ferry running,” Ada Okafor wrote to Mayor Lena Brandt in June.",
        &["Keep the ferry running, | Ada Okafor | Ada Okafor"],
    );
}

#[test]
fn bodies_and_people_in_apposition_have_their_full_names() {
    let text = "“The bridge is not ours,” the Water Department said.\n\n\
                “We were never asked,” the ferry’s longest-serving deckhand, Otis Pell, said.\n\n\
                Marrow Inc. built the ramp. “It will last,” the company said.";
    let names: Vec<_> = find(text)
        .into_iter()
        .filter(|quote| quote.quote.kind == QuoteKind::Direct)
        .map(|quote| quote.attribution.speaker.map(|speaker| speaker.name))
        .collect();
    let expected = ["Water Department", "Otis Pell", "Marrow Inc."];
    assert_eq!(names, expected.map(|name| Some(name.to_owned())));
}

#[test]
fn words_that_their_speaker_interrupts_are_one_quote() {
    check(
        "“There is not a shred of evidence,” the ferry’s chief operating officer, Otis Pell, said, “that any \
         passenger has left this deck.”\n\n\
         “It is,” said Ada Okafor, who runs the ferry, “a shame.”\n\n\
         \"The quay is not empty land to us,\" its warden, Auntie Moira Hale, says. \"You put up forty sheds and you ask nobody.\"",
        &[
            "There is not a shred of evidence, // that any passenger has left this deck. | Otis Pell | Otis Pell",
            "It is, // a shame. | Ada Okafor, who runs the ferry | Ada Okafor",
            "The quay is not empty land to us, // You put up forty sheds and you ask nobody. | Auntie Moira Hale | Moira Hale",
        ],
    );
}

#[test]
fn a_clause_that_its_speaker_interrupts_is_one_quote() {
    check(
        "Ada Okafor runs the ferry.\n\n\
         If the bridge were sold, she said, the ferry would have to stop.\n\n\
         The new bridge, according to a memo sent to the council, will carry no buses.",
        &[
            "If the bridge were sold // the ferry would have to stop | she | Ada Okafor",
            "The new bridge // will carry no buses | a memo sent to the council | a memo sent to the council",
        ],
    );
    check(
        "The bridge may never open, said Otis Pell, a surveyor in the town, because its piers are sinking.\n\n\
         The ferry had run for a century, Ada Okafor said, and nobody wanted it gone.",
        &[
            "The bridge may never open // because its piers are sinking | Otis Pell, a surveyor in the town | Otis Pell",
            "The ferry had run for a century // and nobody wanted it gone | Ada Okafor | Ada Okafor",
        ],
    );
    check(
        "Mayor Lena Brandt said, a little wearily, that the bridge would never be sold.",
        &["the bridge would never be sold | Mayor Lena Brandt | Lena Brandt"],
    );
}

#[test]
fn an_unclosed_single_mark_goes_on_in_the_next_paragraph() {
    check(
        "Mother-of-three Ada Okafor, who runs a group called 'Proper Ferries Please', said: 'My son took \
         the bus last week. It came an hour late.\n\n\
         'I would not send the dog on it.'",
        &[
            "My son took the bus last week. It came an hour late. // I would not send the dog on it. \
             | Mother-of-three Ada Okafor, who runs a group called 'Proper Ferries Please | Ada Okafor",
        ],
    );
}

#[test]
fn a_title_between_marks_is_no_quote() {
    check(
        "Her second book, “The Stones Remember”, sold well in the town.\n\n\
         “The stones are ours,” Ada Okafor said.",
        &["The stones are ours, | Ada Okafor | Ada Okafor"],
    );
}

#[test]
fn whoever_a_clause_is_about_is_the_speaker() {
    check(
        "One board member, who asked not to be named, said he had voted for the bridge.",
        &[
            "he had voted for the bridge | One board member, who asked not to be named | one board member",
        ],
    );
    check(
        "The Auditor-General, Mr Cosmas Otieno, told the committee that the figures were wrong.\n\n\
         Its author, the botanist Fiachra Mac Giolla, says they have not read it.\n\n\
         The company’s head of sourcing, Dev Bannerjee, grew up on a Wisconsin farm. He says his \
         parents lost theirs.",
        &[
            "the figures were wrong | The Auditor-General, Mr Cosmas Otieno | Cosmas Otieno",
            "they have not read it | Its author, the botanist Fiachra Mac Giolla | Fiachra Mac Giolla",
            "his parents lost theirs | He | Dev Bannerjee",
        ],
    );
}

#[test]
fn titles_before_a_name_are_not_the_speaker() {
    check(
        "President of the Port Association, Chief Emeka Nwodo, said the scanners were idle.\n\n\
         Its secretary, the Rev Paul Okafor, said that the strike would go on.\n\n\
         Maj. Gen. (retd.) Arun Sodhi, who led the inquiry, said the shells were sound.",
        &[
            "the scanners were idle | President of the Port Association, Chief Emeka Nwodo | Emeka Nwodo",
            "the strike would go on | Its secretary, the Rev Paul Okafor | Paul Okafor",
            "the shells were sound | Arun Sodhi, who led the inquiry | Arun Sodhi",
        ],
    );
}

#[test]
fn live_reports_name_their_speakers() {
    check(
        "Otis Pell opened the meeting at seven.\n\n\
         20:02 Pell: “They have put a lot in writing.”\n\n\
         8.20pm Ada Okafor, from her seat: “It should have stayed there.”",
        &[
            "They have put a lot in writing. | Pell | Otis Pell",
            "It should have stayed there. | Ada Okafor | Ada Okafor",
        ],
    );
}

#[test]
fn initials_offices_and_laws_beside_a_name() {
    check(
        "A. K. Sodhi, the harbour master, said the fees would fall.\n\n\
         Marrow Dredging’s CEO, Renee Hardy, said the silt would be gone by May.\n\n\
         Retired riveter Wanda Pell lost her boiler in March under the Clean Heat Act, which bars new gas systems. “I have \
         two cardigans on in June,” she said.",
        &[
            "the fees would fall | A. K. Sodhi, the harbour master | A. K. Sodhi",
            "the silt would be gone by May | Renee Hardy | Renee Hardy",
            "I have two cardigans on in June, | she | Wanda Pell",
        ],
    );
}

#[test]
fn a_source_stays_in_the_sentence_of_its_cue() {
    check(
        "“It was gone before these people had found the car park,” wrote Ravi Menon, a former student. Lucia Ferro, who \
         runs the asteroid desk at Varda University, said that her rate had dropped.",
        &[
            "It was gone before these people had found the car park, | Ravi Menon, a former student | Ravi Menon",
            "her rate had dropped | Lucia Ferro, who runs the asteroid desk at Varda University | Lucia Ferro",
        ],
    );
}

#[test]
fn whoever_is_told_is_no_part_of_the_clause() {
    check(
        "Ada Okafor told the mourners the way to heaven was narrow and he trusted that someone had been over \
         it lately.",
        &[
            "the way to heaven was narrow and he trusted that someone had been over it lately | Ada Okafor | Ada Okafor",
        ],
    );
}

#[test]
fn honours_are_no_part_of_a_name() {
    check(
        "Ada Okafor SC, for the board, said the deal had been agreed in May.\n\n\
         “It was a mortgage,” Ms Okafor said.",
        &[
            "the deal had been agreed in May | Ada Okafor SC, for the board | Ada Okafor",
            "It was a mortgage, | Ms Okafor | Ada Okafor",
        ],
    );
}

#[test]
fn two_who_speak_together_are_both_named() {
    check(
        "Two residents, retired driver Otis Pell and his daughter, Renee Hardy, said they wanted the cameras because they did not \
         trust the department.\n\n\
         Beef producers Cal Dempster and Joy Ross told senators that they had waited eleven years for the cuts.",
        &[
            "they wanted the cameras because they did not trust the department \
             | Two residents, retired driver Otis Pell and his daughter, Renee Hardy | Otis Pell and Renee Hardy",
            "they had waited eleven years for the cuts | Beef producers Cal Dempster and Joy Ross | Cal Dempster and Joy Ross",
        ],
    );
}

#[test]
fn whoever_is_known_by_a_body_s_office_has_its_name() {
    check(
        "The Harlow Patrol Association, which had opposed an earlier plan, met on Monday.\n\n\
         The association’s president was blunter. “I have read it now,” he said.",
        &["I have read it now, | he | Harlow Patrol Association's president"],
    );
}

#[test]
fn whoever_is_told_is_no_speaker() {
    check(
        "The inquest heard that the guard had slept through the theft.\n\n\
         A jury was told that “nobody checked the locks”.\n\n\
         The plan would “end in tears for the town”, a committee of MPs has heard.\n\n\
         Ann Lee told the jury that she was tired.\n\n\
         Bo Ray, asked if the town would seek a refund, laughed. “You bet,” he said.",
        &[
            "nobody checked the locks | - | -",
            "The plan would “end in tears for the town” | - | -",
            "she was tired | Ann Lee | Ann Lee",
            "You bet, | he | Bo Ray",
        ],
    );
}

#[test]
fn a_nickname_between_marks_is_part_of_a_name() {
    check(
        "\"I was wrong,\" board President Marguerite \"Midge\" Tolliver said.\n\n\
         The lone holdout was Darnell Okoye. He said the system had stopped two intruders.\n\n\
         “It was late,” Midge Tolliver said.",
        &[
            "I was wrong, | board President Marguerite \"Midge\" Tolliver | Marguerite \"Midge\" Tolliver",
            "the system had stopped two intruders | He | Darnell Okoye",
            "It was late, | Midge Tolliver | Marguerite \"Midge\" Tolliver",
        ],
    );
}

#[test]
fn whoever_is_described_has_the_name_beside_the_description() {
    let text = "Marrow’s general counsel, Otis Pell, rejected the criticism in a letter. He wrote: “Nothing we build \
                floats by itself.”\n\n\
                Fathom confirmed the order but denied that the ramp was late. “We do not retaliate,” the company said.";
    let names: Vec<_> = find(text)
        .into_iter()
        .filter(|quote| quote.quote.kind == QuoteKind::Direct)
        .map(|quote| quote.attribution.speaker.map(|speaker| speaker.name))
        .collect();
    assert_eq!(
        names,
        ["Otis Pell", "Fathom"].map(|name| Some(name.to_owned()))
    );
}

#[test]
fn a_clause_that_nobody_is_named_for_is_no_quote() {
    let text = "The auditor has been asked to look into the bridge. A ramp with seats was shown by the city.";
    let found = find(text);
    assert!(
        found
            .iter()
            .all(|quote| quote.attribution.mention.is_some()),
        "{:?}",
        shown(text, &found)
    );
}

#[test]
fn a_signature_below_a_quotation_is_its_speaker() {
    check(
        "The mayor of Harrow, Lena Brandt, spoke on television on Sunday.\n\n\
         “The bridge will open in May, and nobody will pay a toll on it.”\n\n\
         - Lena Brandt.\n\nThe records of the council tell another story.",
        &[
            "The bridge will open in May, and nobody will pay a toll on it. | Lena Brandt | Lena Brandt",
        ],
    );
}

#[test]
fn a_heading_between_marks_is_no_quote() {
    let text = "“The bridge is late,” Ada Okafor said.\n\n‘Ferries, not bridges’\n\n\
                Okafor said that the council had been warned.";
    let found = shown(text, &find(text));
    assert!(
        !found.iter().any(|quote| quote.starts_with("Ferries")),
        "{found:?}"
    );
}

#[test]
fn confidence_is_a_probability_where_somebody_is_named() {
    let text = include_str!("../data/articles/harlow-bodycam.txt");
    let found = find(text);
    assert!(found.len() > 10);
    for quote in &found {
        let attribution = &quote.attribution;
        match attribution.confidence {
            Some(sure) => assert!(attribution.speaker.is_some() && (0.0..=1.0).contains(&sure)),
            None => assert!(attribution.speaker.is_none() || attribution.rule == Rule::Signature),
        }
    }
}

/// The tagger reads whole lines of up to 224 word pieces together, with 48 before them and none after: a
/// paragraph can change what is found in the lines it is read with, but nothing before those.
#[test]
fn what_follows_changes_nothing_in_earlier_chunks() {
    let article = include_str!("../data/articles/harlow-bodycam.txt");
    let before = find(article);
    let longer = format!("{article}\n\nThe harbour froze twice in that winter, and no ship came.");
    let after = find(&longer);
    let whole = article.len() / 2;
    let early = |quotes: &[AttributedQuote]| -> Vec<AttributedQuote> {
        let quotes = quotes.iter();
        quotes
            .filter(|quote| quote.quote.extent().end < whole)
            .cloned()
            .collect()
    };
    assert!(early(&before).len() >= 2);
    assert_eq!(early(&before), early(&after));
}

#[test]
fn the_label_of_a_transcript_is_its_speaker() {
    let text =
        "Lena Brandt met the press.\n\nMS. VEY: The bridge is late, and you said it would be free.";
    let start = text.find("The bridge").unwrap();
    let spans = [span(start, text.len(), Some(Span::new(0, 11)))];
    let found = QuoteFinder::join(text, &spans, CALIBRATION);
    assert_eq!(found[0].attribution.mention.unwrap().of(text), "MS. VEY");
}

/// Each tagged quote is compared with the rules' quotes beside it, not with all.
#[test]
fn a_hundred_thousand_quotes_are_joined_in_linear_time() {
    const LINE: &str = "“We asked for a bridge,” said Ada Okafor.\n\n";
    let text = LINE.repeat(100_000);
    let spans: Vec<TaggedSpan> = (0..100_000)
        .map(|at| at * LINE.len())
        .map(|at| span(at + 3, at + 25, None))
        .collect();
    let clock = std::time::Instant::now();
    assert_eq!(QuoteFinder::join(&text, &spans, CALIBRATION).len(), 100_000);
    assert!(clock.elapsed().as_secs() < 60, "{:?}", clock.elapsed());
}

const CALIBRATION: Calibration = Calibration {
    min_score: 0.7,
    min_score_marked: 0.5,
    min_speech: 0.5,
    confidence: None,
};

fn span(start: usize, end: usize, source: Option<Span>) -> TaggedSpan {
    TaggedSpan {
        lines: vec![Span::new(start, end)],
        marked: vec![],
        words: 5,
        words_inside: 0,
        continues: false,
        score: 0.9,
        speech: 0.9,
        source,
        source_probability: 0.9,
        cue: None,
        cue_probability: 0.9,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn never_panics_and_spans_are_ordered(
        text in r#"([“”"'‘’«»:,.\n ]|said|Ada Vey|he|- |\(|\PC|\p{Mn}|the plan){0,60}"#
    ) {
        for quote in find(&text) {
            let spans = &quote.quote.spans;
            prop_assert!(!spans.is_empty());
            for span in spans.iter().chain(&quote.quote.marked) {
                prop_assert!(!span.of(&text).trim().is_empty());
            }
            prop_assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
            for span in [quote.attribution.mention, quote.attribution.cue].into_iter().flatten() {
                prop_assert!(!span.of(&text).is_empty());
            }
        }
    }
}

#[test]
fn what_a_quote_is_about_is_no_speaker() {
    check(
        "Ada Okafor runs the ferry. “We asked for a bridge,” she said. On Mayor Lena Brandt: “She came, she held a \
         rope and she left.” As for the price: “I have paid less for a house.”\n\n\
         Otis Pell wants the bridge. He says of the ferrywoman Ada Okafor: “She rows better than the mayor counts.”\n\n\
         Of his former skipper he said: “He could smell fog.”",
        &[
            "We asked for a bridge, | she | Ada Okafor",
            "She came, she held a rope and she left. | she | Ada Okafor",
            "I have paid less for a house. | she | Ada Okafor",
            "She rows better than the mayor counts. | He | Otis Pell",
            "He could smell fog. | he | Otis Pell",
        ],
    );
}

#[test]
fn a_label_with_a_description_is_the_name() {
    check(
        "We asked three readers.\n\nAda Okafor, ferry hand: “We asked for a bridge and they sent us a leaflet.”\n\n\
         From Otis Pell, Quay Street: “I have crossed that river for forty years and I would cross it again.”",
        &[
            "We asked for a bridge and they sent us a leaflet. | Ada Okafor | Ada Okafor",
            "I have crossed that river for forty years and I would cross it again. | Otis Pell | Otis Pell",
        ],
    );
}

#[test]
fn what_somebody_says_goes_by_their_name() {
    check(
        "Otis Pell crossed the river for forty years. His verdict: “They have built a bridge to nowhere.”\n\n\
         Canon Brendan Hale blessed it. “It stands, which is more than I hoped,” the canon said.",
        &[
            "They have built a bridge to nowhere. | His | Otis Pell",
            "It stands, which is more than I hoped, | the canon | Brendan Hale",
        ],
    );
    check(
        "Otis Pell owns the yard. According to him, “the bridge will fall before the paint is dry.”",
        &["the bridge will fall before the paint is dry. | him | Otis Pell"],
    );
}
