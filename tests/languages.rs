//! Articles that are not in English: direct quotes by their marks and form alone.

use std::sync::LazyLock;

use proptest::prelude::*;
use quotestance::attribution::Rule;
use quotestance::furniture::layout;
use quotestance::language::Language;
use quotestance::{QuoteFinder, Tagger};

static TAGGER: LazyLock<QuoteFinder> = LazyLock::new(|| {
    QuoteFinder::with_tagger(Tagger::embedded(&Default::default()).expect("it is built in"))
});

/// Compares the words of the quotes of `text`, found by rules alone and with the tagger.
fn check(text: &str, expected: &[&str]) {
    assert!(!is_english(text), "{text:?}");
    for quotes in [
        QuoteFinder::rules_only().find(text),
        TAGGER.find_all(&[text]).unwrap().remove(0),
    ] {
        let found: Vec<String> = quotes.iter().map(|found| found.quote.text(text)).collect();
        assert_eq!(found, expected, "in {text:?}");
        for quote in quotes {
            let attribution = quote.attribution;
            assert_eq!(attribution.rule, Rule::MarksOnly);
            assert_eq!((attribution.speaker, attribution.confidence), (None, None));
        }
    }
}

fn is_english(text: &str) -> bool {
    Language::of(text, &layout(text).body).is_english()
}

#[test]
fn german_speech_before_and_after_its_cue_is_found() {
    check(
        "Die Brücke über die Leve bleibt bis zum Herbst gesperrt. „Wir haben das viel zu spät bemerkt“, sagte \
         Bürgermeisterin Ada Vey am Montag. Ihr Stellvertreter wurde deutlicher: „Das ist eine Blamage.“",
        &[
            "Wir haben das viel zu spät bemerkt",
            "Das ist eine Blamage.",
        ],
    );
    check(
        "»Niemand hat uns gefragt, ob wir die Fähre behalten wollen«, klagte der Wirt des Gasthauses. Auf die \
         Frage, was nun werde, zuckte er mit den Schultern.",
        &["Niemand hat uns gefragt, ob wir die Fähre behalten wollen"],
    );
    check(
        "Auf der Sitzung des Rates rief eine Anwohnerin: \"Die Fähre bleibt!\" Danach wurde die Sitzung unterbrochen.",
        &["Die Fähre bleibt!"],
    );
}

#[test]
fn german_fragments_begin_in_lower_case() {
    check(
        "Der Plan des Rates sei „ein schlechter Scherz“, sagte die Sprecherin der Händler. Die Kosten nannte sie \
         „nicht mehr vermittelbar“ und den Zeitplan mutig.",
        &["ein schlechter Scherz", "nicht mehr vermittelbar"],
    );
    check(
        "Der Gutachter schrieb, das Geländer sei „seit Jahren nicht geprüft worden“, und die Stadt habe das gewusst.",
        &["seit Jahren nicht geprüft worden"],
    );
}

#[test]
fn german_names_titles_and_words_held_at_a_distance_are_no_speech() {
    check(
        "Die Fähre „Seestern“ liegt seit dem Montag im Hafen, und das Schiff „Stadt Lindau am See“ wird überholt. \
         Der „kleine“ Umbau dauert bis zum Mai.",
        &[],
    );
    check(
        "Das Bündnis „Freie Fahrt für Alle“ und die Zeitschrift „Der Hafen und seine Schiffe“ hatten zu der \
         Versammlung eingeladen.",
        &[],
    );
}

#[test]
fn a_german_quotation_over_two_paragraphs_is_one() {
    check(
        "Die Wirtin las den Brief der Behörde vor: „Wir bedauern die Schließung der Fähre sehr.\n\n\
         „Eine andere Lösung gibt es leider nicht.“\n\nDer Saal war voll, und die Leute blieben bis Mitternacht.",
        &["Wir bedauern die Schließung der Fähre sehr. Eine andere Lösung gibt es leider nicht."],
    );
}

#[test]
fn french_speech_is_found_and_titles_are_not() {
    check(
        "Le maire de la ville a promis une réponse avant la fin du mois. « Nous n’avons pas encore choisi le \
         chantier », a-t-il dit. Une élue parle d’un projet « mal préparé et trop cher ».",
        &[
            "Nous n’avons pas encore choisi le chantier",
            "mal préparé et trop cher",
        ],
    );
    check(
        "Le film « Les Marées » et le navire « Belle Île » sont dans le port, et les visiteurs aussi.",
        &[],
    );
    check(
        "La directrice du port a été claire : « Pas un euro de plus. » Le conseil votera dans les prochains jours.",
        &["Pas un euro de plus."],
    );
}

#[test]
fn spanish_italian_and_portuguese_speech_is_found() {
    check(
        "La alcaldesa de la villa respondió por la tarde: «No vamos a cerrar el puente». El barco «Estrella» \
         sigue en el puerto, según los vecinos.",
        &["No vamos a cerrar el puente"],
    );
    check(
        "El puente se cerró en mayo. “Nadie nos avisó de que las obras durarían un año”, lamenta el dueño del bar.",
        &["Nadie nos avisó de que las obras durarían un año"],
    );
    check(
        "Il sindaco ha scritto ai cittadini che il ponte non è sicuro. «Riapriremo solo quando avremo i \
         risultati delle prove», ha detto. Il traghetto «Aurora» è fermo.",
        &["Riapriremo solo quando avremo i risultati delle prove"],
    );
    check(
        "O prefeito não quis falar com os jornalistas em frente da câmara. “A ponte não vai fechar neste verão”, \
         escreveu depois uma assessora.",
        &["A ponte não vai fechar neste verão"],
    );
}

#[test]
fn dutch_swedish_russian_and_japanese_speech_is_found() {
    check(
        "De brug over het kanaal is van de stad. “Wij wisten niet dat het hout zo slecht was”, zegt een woordvoerder.",
        &["Wij wisten niet dat het hout zo slecht was"],
    );
    check(
        "Kommunen stängde bron på måndagen och det är inte klart när den öppnar. ”Vi vet inte vad det kommer att \
         kosta”, säger chefen för hamnen.",
        &["Vi vet inte vad det kommer att kosta"],
    );
    check(
        "Мост закрыли в понедельник. «Мы не знаем, когда его откроют снова», — сказала мэр города.",
        &["Мы не знаем, когда его откроют снова"],
    );
    check(
        "市長は 月曜日に 記者会見を 開いた。「橋は来年の春まで閉鎖します」と 述べた。",
        &["橋は来年の春まで閉鎖します"],
    );
}

#[test]
fn english_with_foreign_names_is_english() {
    for text in [
        "Los Angeles and Las Vegas sent teams to El Paso, said Maria de la Cruz of Le Monde.",
        "“Wir haben das nicht gewusst”, the mayor of the town said in German to the reporters.",
        "Too short.",
        "",
    ] {
        assert!(is_english(text), "{text:?}");
    }
}

#[test]
fn an_article_is_found_alike_beside_articles_in_other_languages() {
    let german = "Die Fähre bleibt, und das ist gut. „Wir haben lange genug gewartet, finde ich“, sagte Ada Vey.";
    let english =
        "“The ferry stays, and that is good,” Ada Vey said. She added that the bridge was late.";
    let mixed = TAGGER.find_all(&[german, english, german]).unwrap();
    for (text, quotes) in [german, english, german].iter().zip(&mixed) {
        assert_eq!(&TAGGER.find_all(&[text]).unwrap()[0], quotes);
    }
    assert_eq!(mixed[0].len(), 1);
    assert!(mixed[1].len() >= 2);
}

fn article() -> impl Strategy<Value = String> {
    let pieces = vec![
        "„",
        "“",
        "”",
        "»",
        "«",
        "\"",
        "der ",
        "die Brücke ",
        "und ",
        "nicht ",
        "sagte ",
        "Ada Vey ",
        "the ",
        "said ",
        "that ",
        "Привет ",
        "橋",
        ": ",
        ", ",
        ". ",
        "\n",
        "\n\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Not even an English paragraph after a foreign one, or the other way round.
    #[test]
    fn what_follows_changes_nothing_before(
        text in article(),
        next in prop::sample::select(vec![
            "The harbour closed at noon, and the ships that were late had to wait.",
            "Der Hafen wurde am Mittag geschlossen, und die Schiffe mit dem Fisch warten.",
        ]),
    ) {
        let finder = QuoteFinder::rules_only();
        let before = finder.find(&text);
        let after = finder.find(&format!("{text}\n\n{next}"));
        prop_assert!(before.len() <= after.len());
        prop_assert_eq!(&before[..], &after[..before.len()]);
    }

    #[test]
    fn spans_are_cut_from_their_text(text in article()) {
        for found in QuoteFinder::rules_only().find(&text) {
            let mut end = 0;
            for span in &found.quote.spans {
                prop_assert!(span.start >= end && !span.of(&text).trim().is_empty());
                end = span.end;
            }
            prop_assert!(found.quote.marked.iter().all(|part| !part.of(&text).is_empty()));
        }
    }
}
