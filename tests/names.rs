//! Mentions in, names out: carets draw a mention under its line, with the name and the type of
//! speaker it must lead to.

use quotestance::QuoteFinder;
use quotestance::attribution::{AttributedQuote, Link};

/// One mention that a case draws: its place, and `name (type)`.
struct Drawn {
    start: usize,
    end: usize,
    speaker: String,
}

/// The text without its caret lines, and what they draw.
fn read(case: &str) -> (String, Vec<Drawn>) {
    let (mut text, mut drawn, mut line_start) = (String::new(), Vec::new(), 0);
    for line in case.lines() {
        let Some(caret) = line
            .find('^')
            .filter(|_| line.trim_start().starts_with('^'))
        else {
            line_start = text.len();
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let count = line.chars().filter(|&c| c == '^').count();
        let byte = |column: usize| {
            let above = &text[line_start..];
            let at = above
                .char_indices()
                .nth(column)
                .map_or(above.len(), |(at, _)| at);
            line_start + at
        };
        drawn.push(Drawn {
            start: byte(caret),
            end: byte(caret + count),
            speaker: line[caret + count..].trim().to_owned(),
        });
    }
    (text, drawn)
}

fn shown(quote: &AttributedQuote) -> String {
    let speaker = quote.attribution.speaker.as_ref();
    speaker.map_or("-".to_owned(), |speaker| {
        format!("{} ({})", speaker.name, speaker.kind.name())
    })
}

fn check(case: &str) {
    let (text, drawn) = read(case);
    let quotes = QuoteFinder::rules_only().find(&text);
    assert!(!drawn.is_empty(), "nothing is drawn in {case:?}");
    for one in drawn {
        let found = quotes.iter().find(|quote| {
            let mention = quote.attribution.mention;
            mention.is_some_and(|mention| mention.start == one.start && mention.end == one.end)
        });
        let mentions: Vec<(&str, String)> = quotes
            .iter()
            .filter_map(|quote| Some((quote.attribution.mention?.of(&text), shown(quote))))
            .collect();
        let found = found.map_or("no such mention".to_owned(), shown);
        assert_eq!(found, one.speaker, "found {mentions:?} in\n{case}");
    }
}

#[test]
fn surnames_lead_to_the_full_name_without_titles() {
    check(
        "Deputy Mayor Ilse Varga opened the meeting.
“The bridge is safe,” Varga said.
                      ^^^^^ Ilse Varga (person)
“It has been tested,” said Ms. Varga.
                           ^^^^^^^^^ Ilse Varga (person)",
    );
    check(
        "Rep. Tomás de la Cruz voted no.
“I read all of it,” de la Cruz said.
                    ^^^^^^^^^^ Tomás de la Cruz (person)",
    );
    check(
        "Secretary of State Helen Marsh said the talks were over.
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Helen Marsh (person)",
    );
    check(
        "“We lost the file,” said Supt. Alan Rook of the county police.
                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Alan Rook (person)
“We found it again,” Rook said.
                     ^^^^ Alan Rook (person)",
    );
}

#[test]
fn a_name_given_in_full_later_is_the_speaker_s_from_the_start() {
    check(
        "Okafor said that the bridge was late.
^^^^^^ Ada Okafor (person)
Ada Okafor has run the office since May.",
    );
}

#[test]
fn headings_and_datelines_are_no_part_of_a_name() {
    check(
        "Council Leader Ana Petrov Rejects Harbour Plan After Vote
PORT ELLERY — Ana Petrov said the plan was dead.
              ^^^^^^^^^^ Ana Petrov (person)
“It is dead,” Petrov said.
              ^^^^^^ Ana Petrov (person)",
    );
    check(
        "ANA PETROV QUITS
Ana Petrov said she was tired.
^^^^^^^^^^ Ana Petrov (person)",
    );
}

#[test]
fn two_of_one_surname_are_kept_apart() {
    check(
        "Martin Hale and his wife, Joanna Hale, run the mill.
“The river is ours,” Mr. Hale said.
                     ^^^^^^^^ Martin Hale (person)
“The river is everybody's,” Mrs. Hale said.
                            ^^^^^^^^^ Joanna Hale (person)",
    );
    check(
        "Mr. Orlov said the ship was sound. Mrs. Orlov said that it was not.
^^^^^^^^^ Mr. Orlov (person)
                                   ^^^^^^^^^^ Mrs. Orlov (person)",
    );
}

#[test]
fn suffixes_initials_hyphens_and_apostrophes() {
    check(
        "Walter Finch, Jr. opened the bank.
“We are open,” Finch said.
               ^^^^^ Walter Finch, Jr. (person)",
    );
    check(
        "“Nobody asked us,” said K. R. Iyer, a retired clerk.
                        ^^^^^^^^^^ K. R. Iyer (person)
“Nobody ever does,” Iyer added.
                    ^^^^ K. R. Iyer (person)",
    );
    check(
        "Sinead O’Rourke-Bell owns the pier.
“It leaks,” O’Rourke-Bell said.
            ^^^^^^^^^^^^^ Sinead O’Rourke-Bell (person)
“It always did,” O'Rourke-Bell said.
                 ^^^^^^^^^^^^^ Sinead O’Rourke-Bell (person)",
    );
}

#[test]
fn double_surnames_and_family_names_that_come_first() {
    check(
        "Mayor Lucía Herrera Campos spoke first.
“The well is dry,” Herrera said.
                   ^^^^^^^ Lucía Herrera Campos (person)",
    );
    check(
        "Premier Qian Weiming arrived on Monday.
“The railway comes first,” Qian said.
                           ^^^^ Qian Weiming (person)",
    );
    check(
        "President Khaled al-Hadi spoke on Sunday.
“We want peace,” al-Hadi said.
                 ^^^^^^^ Khaled al-Hadi (person)",
    );
}

#[test]
fn a_rank_stays_with_a_single_name() {
    check(
        "“The lords will vote,” said Lord Tresco.
                            ^^^^^^^^^^^ Lord Tresco (person)
“They will vote no,” he said.
                     ^^ Lord Tresco (person)",
    );
}

#[test]
fn a_slip_of_typing_is_the_same_person() {
    check(
        "Engineer Paula Steiner built the dam.
“It holds,” Steinner said.
            ^^^^^^^^ Paula Steiner (person)",
    );
}

#[test]
fn pronouns_follow_gender_and_who_was_spoken_of() {
    check(
        "Laura Bexley met Henry Stroud on Friday.
“The pit must close,” she said.
                      ^^^ Laura Bexley (person)
“The pit must not,” he said.
                    ^^ Henry Stroud (person)",
    );
    check(
        "“I sold the farm,” said Gustav Lind, 61, a grandfather of four. The buyer was Erik Holm's bank. “It was time,” he said.
                                                                                                               ^^ Gustav Lind (person)",
    );
    check(
        "Zorvane Quill, a mother of three, moved in last year. The landlord is Peter Malk.
“The roof leaks,” she said.
                  ^^^ Zorvane Quill (person)",
    );
    check(
        "Zorvane Quell met Peter Malk on Friday. Malk said the pier was sound.
Quell shook his head. “The pier leaks,” he said.
                                        ^^ Zorvane Quell (person)",
    );
    check(
        "A weaver in Drumlin, who gave no name, said the rent was high. “I sold my loom,” she said.
                                                                                 ^^^ a weaver in Drumlin (role)",
    );
    check(
        "Hannis Roel, a former coach, gave her no quarter. “She cannot swim,” he said.
                                                                     ^^ Hannis Roel (person)",
    );
    check(
        "“I drove the bus,” said Bazzo Quell, a father of two. His brother said the route was safe.
                                                      ^^^^^^^^^^^ Bazzo Quell's brother (role)",
    );
    check(
        "The town attorney said that the deed was lost.
“I looked twice,” he said.
                  ^^ town attorney (role)",
    );
}

#[test]
fn a_pronoun_that_nothing_fits_stays_one() {
    check(
        "“It was a long night,” she said.
                       ^^^ she (pronoun)",
    );
    check(
        "“We will stay,” we told reporters.
                ^^ we (pronoun)",
    );
}

#[test]
fn i_in_a_column_is_its_author() {
    check(
        "By Moira Penhale
I said that the pier would fall.
^ Moira Penhale (person)",
    );
}

#[test]
fn descriptions_lead_to_the_person_described() {
    check(
        "Sen. Carol Dunmore of Ohio opposes the bill.
“It is a gift to banks,” the senator said.
                         ^^^^^^^^^^^ Carol Dunmore (person)",
    );
    check(
        "Victor Amsel, the police chief, came late.
“The cells are full,” the chief said.
                      ^^^^^^^^^ Victor Amsel (person)",
    );
    check(
        "Victor Amsel, 61, met Otis Pell at the pier.
The 61-year-old said: “It is my pier.”
^^^^^^^^^^^^^^^ Victor Amsel (person)",
    );
    check(
        "Otis Pell runs the pier.
“It is mine,” the 48-year-old said.
              ^^^^^^^^^^^^^^^ Otis Pell (person)",
    );
    check(
        "“He was a good neighbour,” said his widow, Marta Ruiz.
                                           ^^^^^^^^^^ Marta Ruiz (person)",
    );
    check(
        "Bishop Rowan Vey signed the letter. “I am glad of it,” the cleric said.
                                                       ^^^^^^^^^^ Rowan Vey (person)",
    );
    check(
        "Hoyt Beasley said the radios were old.
Torvane’s field engineer, Amy Sokol, said they were new. She said the mayor knew.
                                                         ^^^ Amy Sokol (person)",
    );
    check(
        "Mrs Ada Vey sold the hall. The state commissioner for culture, Mrs Lena Brandt, said the price was fair.
The commissioner said it was sold.
^^^^^^^^^^^^^^^^ Lena Brandt (person)",
    );
}

#[test]
fn a_noun_that_nobody_was_called_before_goes_on_with_who_spoke() {
    check(
        "Ms. Priscah Lorei warned that the wells would dry up.
“They do not drink reports,” said the pensioner.
                                  ^^^^^^^^^^^^^ Priscah Lorei (person)",
    );
    check(
        "The premier of Harlow wants it stopped. The premier of Selby said it must go on.
                                        ^^^^^^^^^^^^^^^^^^^^ premier of Selby (role)",
    );
    check(
        "Superintendent of Police Kavya Zorrin said the film was wiped. “We keep none,” she said.
                                                                               ^^^ Kavya Zorrin (person)",
    );
}

#[test]
fn what_stands_before_a_name_is_no_part_of_it() {
    check(
        "Grazier Kevin Tranter came by boat. He said the well was dry.
                                    ^^ Kevin Tranter (person)
“It is dry,” Tranter said.
             ^^^^^^^ Kevin Tranter (person)",
    );
    check(
        "Third-year Rose Zhang had signed. Zhang said the price was right.
                                  ^^^^^ Rose Zhang (person)",
    );
    check(
        "Otis Pell waited. The barber of Quay Street, Feroz Khan, gave him a shave. “It is free,” he said.
                                                                                         ^^ Feroz Khan (person)",
    );
    check(
        "Member of Parliament Rajesh Menon was there. Menon said it was late.
                                             ^^^^^ Rajesh Menon (person)",
    );
}

#[test]
fn bodies_by_a_part_initials_or_kind() {
    check(
        "The Lakeside Tenants Association met on Monday.
The association said the rent was too high.
^^^^^^^^^^^^^^^ Lakeside Tenants Association (organisation)",
    );
    check(
        "The National Harbour Board published its figures. The NHB said trade had fallen.
                                                  ^^^^^^^ National Harbour Board (organisation)",
    );
    check(
        "Corvale Systems Inc. makes pumps. Corvale said sales had doubled.
                                  ^^^^^^^ Corvale Systems Inc. (organisation)
In a statement, the company said the pumps were safe.
                ^^^^^^^^^^^ Corvale Systems Inc. (organisation)",
    );
    check(
        "Corvale's sales director, Ada Vey, said the sets would come. The company said they were safe.
                                                             ^^^^^^^^^^^ Corvale (organisation)",
    );
    check(
        "The Center for Honest Weights said the scales were off.
^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Center for Honest Weights (organisation)
It said the scales were old.
^^ Center for Honest Weights (organisation)",
    );
}

#[test]
fn documents_are_named_with_whom_they_are_from() {
    check(
        "An email from a billing clerk was less calm. “Every day it drops,” it said.
                                                                   ^^ an email from a billing clerk (document)",
    );
    check(
        "A letter from parents urging the board to act was read out. It said the roof leaked.
                                                            ^^ a letter from parents (document)",
    );
    check(
        "A report by the auditor, out on Monday, was long. It said the roof leaked.
                                                  ^^ a report by the auditor (document)",
    );
    check(
        "Acme said it was ready. Ada Vey has filed a petition. “No law permits the flights,” it says.
                                                                                    ^^ a petition (document)",
    );
}

#[test]
fn roles_groups_and_documents_keep_their_type() {
    check(
        "AN MSP said the pier was unsafe.
^^^^^^ an MSP (role)",
    );
    check(
        "The minister’s brother said nothing was for sale. Minister Lena Brandt agreed.
^^^^^^^^^^^^^^^^^^^^^^ minister’s brother (role)
The minister said the pier was safe.
^^^^^^^^^^^^ Lena Brandt (person)",
    );
    check(
        "Two officials said the talks had failed.
^^^^^^^^^^^^^ two officials (group)",
    );
    check(
        "A spokesman for Mr. Bale said the matter was closed. Gerald Bale owns the mine.
^^^^^^^^^^^^^^^^^^^^^^^^ a spokesman for Gerald Bale (role)",
    );
    check(
        "The letter says the school will close.
^^^^^^^^^^ letter (document)",
    );
    check(
        "The Growers League sued. Its petition says the water is theirs.
                         ^^^^^^^^^^^^ Growers League (document)",
    );
    check(
        "Residents said that the lake smelled.
^^^^^^^^^ residents (group)",
    );
}

#[test]
fn speakers_together_are_a_group() {
    check(
        "Hugo Brandt and Nils Aune said the nets were empty.
^^^^^^^^^^^^^^^^^^^^^^^^^ Hugo Brandt and Nils Aune (group)
“We went home,” they said.
                ^^^^ Hugo Brandt and Nils Aune (group)",
    );
}

#[test]
fn the_chain_tells_each_step() {
    let text = "Ada Okafor runs the port.\nOkafor is new.\n“It is late,” she said.";
    let quotes = QuoteFinder::rules_only().find(text);
    let chain = &quotes[0].attribution.chain;
    let steps: Vec<(&str, Link)> = chain
        .iter()
        .map(|step| (step.span.of(text), step.link))
        .collect();
    assert_eq!(
        steps,
        [("Okafor", Link::Pronoun), ("Ada Okafor", Link::Name)]
    );
}

#[test]
fn a_speaker_has_one_number_and_two_have_two() {
    let text = "Mr. Orlov said the ship was sound. Mrs. Orlov said it was not. Mr. Orlov said that it was.";
    let quotes = QuoteFinder::rules_only().find(text);
    let numbers: Vec<Option<u32>> = quotes
        .iter()
        .map(|quote| {
            quote
                .attribution
                .speaker
                .as_ref()
                .and_then(|speaker| speaker.entity)
        })
        .collect();
    assert!(
        numbers[0].is_some() && numbers[0] == numbers[2] && numbers[0] != numbers[1],
        "{numbers:?}"
    );
}

#[test]
fn a_hundred_thousand_names_take_linear_time() {
    let mut text = String::new();
    for number in 0..100_000 {
        let letter = |at: u32| char::from(b'a' + (number / 26_u32.pow(at) % 26) as u8);
        let name: String = (0..4).map(letter).collect();
        text.push_str(&format!(
            "Ada Smit{name} met Mr. Smith. He said it was late.\n"
        ));
    }
    let clock = std::time::Instant::now();
    QuoteFinder::rules_only().find(&text);
    assert!(clock.elapsed().as_secs() < 20, "took {:?}", clock.elapsed());
}
