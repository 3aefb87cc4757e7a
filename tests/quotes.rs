//! Text in, annotations out: each case draws its quotes under its text.

use proptest::prelude::*;
use quotestance::QuoteFinder;

/// Finds the quotes of `text` and compares them with lines of the form
/// `words // words | mention | name`; `-` stands for what is not known.
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = QuoteFinder::rules_only()
        .find(text)
        .iter()
        .map(|quote| {
            let words: Vec<&str> = quote.quote.spans.iter().map(|span| span.of(text)).collect();
            let mention = quote.attribution.mention.map_or("-", |span| span.of(text));
            let name = quote.attribution.speaker.as_ref();
            let name = name.map_or("-", |speaker| speaker.name.as_str());
            format!("{} | {mention} | {name}", words.join(" // "))
        })
        .collect();
    assert_eq!(found, expected, "in {text:?}");
}

#[test]
fn a_quotation_split_by_its_attribution_is_one_quote() {
    check(
        "“We asked for a bridge,” said Ada Okafor. “They sent us a leaflet.”",
        &["We asked for a bridge, // They sent us a leaflet. | Ada Okafor | Ada Okafor"],
    );
}

#[test]
fn a_clause_around_its_attribution_is_one_quote() {
    check(
        "Without the ferry, Ada Okafor says, the quay would close.",
        &["Without the ferry // the quay would close | Ada Okafor | Ada Okafor"],
    );
    check(
        "That, says Ada Okafor, is what the bridge costs.",
        &["That // is what the bridge costs | Ada Okafor | Ada Okafor"],
    );
    check(
        "The bridge is safe, Ada Okafor said, but nobody believes it.",
        &["The bridge is safe // but nobody believes it | Ada Okafor | Ada Okafor"],
    );
    check(
        "The bridge was safe, Ada Okafor said, and walked out. It would stand, she said, but Otis Pell said it would not.",
        &[
            "The bridge was safe | Ada Okafor | Ada Okafor",
            "It would stand | she | Ada Okafor",
            "it would not | Otis Pell | Otis Pell",
        ],
    );
}

#[test]
fn surnames_and_pronouns_lead_to_the_full_name() {
    check(
        "Ada Okafor said that the bridge was late.\n\n\"It is late,\" Okafor said.\n\n\"And dear,\" she added.",
        &[
            "the bridge was late | Ada Okafor | Ada Okafor",
            "It is late, | Okafor | Ada Okafor",
            "And dear, | she | Ada Okafor",
        ],
    );
}

#[test]
fn an_aside_before_the_cue_is_not_the_words() {
    check(
        "One clerk, who was told to keep quiet, said the files had gone.",
        &["the files had gone | One clerk | one clerk"],
    );
}

#[test]
fn a_mixed_quote_is_its_whole_clause() {
    check(
        "Mayor Lena Brandt said the plan was “a mistake”.",
        &["the plan was “a mistake” | Mayor Lena Brandt | Lena Brandt"],
    );
}

#[test]
fn scare_quotes_and_refusals_are_no_speech() {
    check("The firm is a “proud” partner of the port.", &[]);
    check("The firm did not say whether it would appeal.", &[]);
}

#[test]
fn a_colon_or_an_aside_leads_to_the_speaker() {
    for (text, mention) in [
        (
            "Ada Okafor, R-Ky., delivered a blunt message to them: “Stop it now, all of you.”",
            "Ada Okafor",
        ),
        (
            "It was a close race - Ada Okafor: “Nobody saw it coming this year.”",
            "Ada Okafor",
        ),
        (
            "It was close. From the report: “Nobody saw it coming this year.”",
            "the report",
        ),
        ("Okafor's short reply: “Not now.”", "Okafor"),
        (
            "Okafor later on Thursday told the Herald: “We have a deal.”",
            "Okafor",
        ),
        (
            "Okafor, who has told aides she is tired, said in a note: “I am off to bed.”",
            "Okafor",
        ),
        (
            "“It is hers,” Ada Okafor, who runs the ferry, told the Herald.",
            "Ada Okafor",
        ),
        (
            "Nobody spoke, with the clerk Ada Okafor saying: “I am off to bed.”",
            "Ada Okafor",
        ),
        (
            "Ada Okafor, chairman of Ferries (a club), tweeted: “I am off to bed.”",
            "Ada Okafor",
        ),
        ("“It is hers,” USA Today reported.", "USA Today"),
        (
            "Ada Okafor of Tamarack Street, to the mayor: “I am off to bed.”",
            "Ada Okafor",
        ),
        ("Okafor on her way out: “I am off to bed.”", "Okafor"),
    ] {
        let quotes = QuoteFinder::rules_only().find(text);
        let last = quotes
            .last()
            .unwrap_or_else(|| panic!("nothing in {text:?}"));
        let found = last.attribution.mention.map(|span| span.of(text));
        assert_eq!(found, Some(mention), "in {text:?}");
    }
}

#[test]
fn a_word_before_a_preposition_is_no_speaker() {
    check(
        "Lessons of the strike: “Never again, and never for that money.”",
        &[],
    );
}

#[test]
fn a_transcript_is_of_whoever_spoke_last() {
    check(
        "Ada Okafor said: “We asked for a bridge.”\n\nTranscript as follows:\n\n“Tonight we asked for a bridge again.”",
        &[
            "We asked for a bridge. | Ada Okafor | Ada Okafor",
            "Tonight we asked for a bridge again. | Transcript | Ada Okafor",
        ],
    );
}

#[test]
fn what_is_told_of_a_document_is_no_part_of_its_mention() {
    check(
        "An audit released in March found that the cameras had been offline.",
        &["the cameras had been offline | An audit | an audit"],
    );
}

#[test]
fn in_the_words_of_is_as_according_to() {
    check(
        "The deal is “a bargain for nobody”, in the words of Ada Okafor.",
        &["The deal is “a bargain for nobody” | Ada Okafor | Ada Okafor"],
    );
}

#[test]
fn turns_with_names_need_no_marks() {
    check(
        "Ada Okafor, who runs the ferry, met the council on Monday.\n\n\
         Okafor: We asked for a bridge. “Soon,” you said.\n\nMARTIN REYES, councillor: Who said that?\n\n\
         Okafor: The mayor.\n\n(Laughter.)\n\nReyes left before the vote. “I am tired,” he said.",
        &[
            "We asked for a bridge. “Soon,” you said. | Okafor | Ada Okafor",
            "Who said that? | MARTIN REYES | MARTIN REYES",
            "The mayor. | Okafor | Ada Okafor",
            "I am tired, | he | MARTIN REYES",
        ],
    );
    check(
        "Mayor Ada Okafor met the council.\n\nADA OKAFOR: We asked for a bridge.\n\nOKAFOR (laughs): I still do.",
        &[
            "We asked for a bridge. | ADA OKAFOR | Ada Okafor",
            "I still do. | OKAFOR | Ada Okafor",
        ],
    );
}

#[test]
fn questions_and_answers_need_no_names() {
    check(
        "By Bo Ray\n\nExcerpts from an interview with Mayor Ada Okafor, who succeeded Carl Lund:\n\n\
         Q: Will the ferry go?\n\nA: It will, yes.\n\nI have asked for a bridge.\n\nQ. You said so before.\n\n\
         A. So did Carl.\n\nThe council meets in June.",
        &[
            "Will the ferry go? | - | interviewer",
            "It will, yes. // I have asked for a bridge. | Mayor Ada Okafor | Ada Okafor",
            "You said so before. | - | interviewer",
            "So did Carl. | Mayor Ada Okafor | Ada Okafor",
        ],
    );
}

#[test]
fn questions_in_lines_of_their_own_need_no_labels() {
    check(
        "Ada Okafor runs the ferry. Our conversation has been condensed and edited.\n\nWill the ferry go?\n\n\
         Not this year.\n\nAsk me again in May.\n\nThe mayor calls you stubborn.\n\nThen I am stubborn.\n\n\
         The council meets in June. “It will be long,” Carl Lund said.",
        &[
            "Will the ferry go? | - | interviewer",
            "Not this year. // Ask me again in May. | Ada Okafor | Ada Okafor",
            "Then I am stubborn. | Ada Okafor | Ada Okafor",
            "It will be long, | Carl Lund | Carl Lund",
        ],
    );
}

#[test]
fn headings_and_lists_are_no_turns() {
    for text in [
        "Ada Okafor ran.\n\nOpinion: Why we need a bridge\n\nDate: June 4\n\nOkafor: 34 points, 5 rebounds.",
        "Ada Okafor ran.\n\nAda Okafor: The ferry Okafor runs has not answered my letters.",
        "Ada Okafor ran.\n\nWhere will it end?\n\nWe cannot know.",
        "The vote: a guide. What you need to know.\n\nA: the bridge. B: the ferry.",
    ] {
        check(text, &[]);
    }
}

#[test]
fn marks_of_every_kind() {
    for (open, close) in [
        ("“", "”"),
        ("\"", "\""),
        ("''", "''"),
        ("``", "''"),
        ("«", "»"),
        ("„", "“"),
        ("‘", "’"),
    ] {
        let text = format!("{open}We will pay for it,{close} said Ada Okafor.");
        check(&text, &["We will pay for it, | Ada Okafor | Ada Okafor"]);
    }
}

#[test]
fn an_unclosed_mark_ends_with_its_paragraph() {
    check(
        "\"Mine has,\" said Tom Brand. \"Twice.\n\nThe trial ends in August.",
        &["Mine has, // Twice. | Tom Brand | Tom Brand"],
    );
}

fn takes_linear_time(what: &str, text: &str) {
    let clock = std::time::Instant::now();
    QuoteFinder::rules_only().find(text);
    let taken = clock.elapsed();
    assert!(taken.as_secs() < 20, "{what:?} took {taken:?}");
}

#[test]
fn a_million_unclosed_marks_take_linear_time() {
    for mark in ["“", "\"", "''", "``", "«", "„", "‘", "'", "「"] {
        let text = format!(" {mark}a").repeat(1_000_000);
        takes_linear_time(mark, &text);
    }
}

#[test]
fn many_cues_nicknames_and_turns_take_linear_time() {
    for piece in [
        "\" said Ann Lee. ",
        "Ada \"Midge\" Vey ",
        "\n\nQ: Who?\n\nA: I did.",
        "\n\nADA VEY: I did.",
        "\n\n“I did.",
        "\n\n'I did, Ada Vey said: ",
        "It rained, Ada Vey said, ",
    ] {
        let text = piece.repeat(300_000);
        takes_linear_time(piece, &text);
    }
}

fn article() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "“",
        "”",
        "\"",
        "''",
        "``",
        "‘",
        "’",
        "'",
        "«",
        "»",
        "„",
        " said ",
        " Ada Okafor ",
        " he ",
        "that ",
        ", ",
        ". ",
        "\n",
        "\n\n",
        ":",
        "—",
        "(",
        ")",
        "according to ",
        "the letter ",
        "was late",
        "é",
        "and ",
        "called ",
        "told ",
        "\n\nQ: ",
        "\n\nA: ",
        "\n\nOKAFOR: ",
        "I ",
        "? ",
        "An interview, edited",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn never_panics_and_spans_are_ordered(text in prop_oneof![article(), ".{0,200}"]) {
        for quote in QuoteFinder::rules_only().find(&text) {
            let mut end = 0;
            for span in &quote.quote.spans {
                prop_assert!(span.start >= end && !span.of(&text).is_empty());
                end = span.end;
            }
        }
    }

    #[test]
    fn what_follows_changes_nothing_before(text in article()) {
        let finder = QuoteFinder::rules_only();
        let before = finder.find(&text);
        let after = finder.find(&format!("{text}\n\nThe harbour closed at noon."));
        prop_assert_eq!(&before[..], &after[..before.len().min(after.len())]);
    }
}

#[test]
fn a_quotation_over_several_paragraphs_is_one_quote() {
    let text = "“It would be easy to stay,” Ann Lee told the paper. “We have stayed before.\n\n\
                “But we have children now?\n\n“We will not.”\n\n“I agree with all of it,” said Bo Ray.";
    let quotes = quotestance::QuoteFinder::rules_only().find(text);
    let words: Vec<String> = quotes.iter().map(|found| found.quote.text(text)).collect();
    assert_eq!(
        words,
        [
            "It would be easy to stay, We have stayed before. But we have children now? We will not.",
            "I agree with all of it,"
        ]
    );
    let names = quotes
        .iter()
        .map(|found| found.attribution.speaker.as_ref());
    let names: Vec<&str> = names
        .map(|speaker| speaker.map_or("", |known| known.name.as_str()))
        .collect();
    assert_eq!(names, ["Ann Lee", "Bo Ray"]);
}
