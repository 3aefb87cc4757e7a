//! When two spellings can be one name: accents, initials, short forms, slips of typing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Given names and their short forms, one group a line; the groups are the project's own writing.
const SHORT_FORMS: &[&str] = &[
    "alexander alex alec sasha sandy",
    "alexandra alex sandra sasha",
    "andrew andy drew",
    "anthony tony",
    "barbara barb babs",
    "benjamin ben benny",
    "bernard bernie",
    "bradley brad",
    "catherine katherine kathryn cathy kathy kate katie kat",
    "charles charlie chuck chas",
    "christine christina chris tina christie",
    "christopher chris kit",
    "daniel dan danny",
    "david dave",
    "deborah debra deb debbie",
    "donald don donnie",
    "douglas doug dougie",
    "edward eddie ed ted ned",
    "elizabeth liz beth betty lisa eliza betsy libby lizzie",
    "eugene gene",
    "francis frank",
    "frederick fred freddie",
    "gerald gerry jerry",
    "gregory greg",
    "harold harry hal",
    "henry harry hank",
    "jacqueline jackie",
    "james jim jimmy jamie",
    "jeffrey jeff geoff geoffrey",
    "jennifer jen jenny",
    "jessica jess",
    "john jack johnny jon",
    "jonathan jon",
    "joseph joe joey",
    "joshua josh",
    "judith judy",
    "kenneth ken kenny",
    "kimberly kim",
    "lawrence larry",
    "leonard len leo",
    "margaret maggie meg peggy marge",
    "matthew matt mat",
    "melissa mel",
    "michael mike mick mickey",
    "mohammed muhammad mohamed mohammad",
    "nancy nan",
    "nathaniel nathan nate",
    "nicholas nick nicky",
    "pamela pam",
    "patricia pat patty patti trish tricia",
    "patrick pat paddy",
    "peter pete",
    "philip phillip phil",
    "raymond ray",
    "rebecca becky becca",
    "richard rick dick rich ricky",
    "robert bob rob bobby robbie bert",
    "ronald ron ronnie",
    "russell russ",
    "samuel samantha sam sammy",
    "stephen steven steve",
    "stephanie steph",
    "stuart stewart stu",
    "susan suzanne sue susie",
    "theodore ted teddy theo",
    "theresa teresa terry tess",
    "thomas tom tommy",
    "timothy tim",
    "victoria vicky vicki tori",
    "vincent vince vinny",
    "walter walt wally",
    "william bill will billy willie liam",
];

/// A word as names are compared: lower case, without accents, curly apostrophes, possessive ending
/// and abbreviation point.
pub(crate) fn folded(word: &str) -> String {
    let word = without_possessive(word).trim_end_matches('.');
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| if c == '’' { '\'' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// True for "Clinton's", "Clinton’s" and "Sanders’" alike as far as one word can tell.
pub(crate) fn is_possessive(word: &str) -> bool {
    word.ends_with("'s") || word.ends_with("’s")
}

/// The word without a possessive ending.
pub(crate) fn without_possessive(word: &str) -> &str {
    word.strip_suffix("'s")
        .or_else(|| word.strip_suffix("’s"))
        .unwrap_or(word)
}

/// True where two given names, both [`folded`], can be one person's: equal, an initial of the
/// other, the beginning of the other, or a usual short form of it.
pub(crate) fn given_names_agree(known: &str, other: &str) -> bool {
    let short = |name: &str| name.chars().nth(1).is_none();
    known == other
        || (short(known) || short(other) || known.contains('.') || other.contains('.'))
            && known.chars().next() == other.chars().next()
        || known.len() > 2 && other.starts_with(known)
        || other.len() > 2 && known.starts_with(other)
        || SHORT_FORMS.iter().any(|group| {
            let mut names = group.split(' ');
            names.clone().any(|name| name == known) && names.any(|name| name == other)
        })
        || misspelt(known, other)
}

/// One letter wrong, missing, too many, or two swapped, in names of at least five letters. Both
/// [`folded`].
pub(crate) fn misspelt(known: &str, other: &str) -> bool {
    if known == other
        || known.chars().next() != other.chars().next()
        || known.len() < 5
        || other.len() < 5
        || known.len() > 60
        || known.len().abs_diff(other.len()) > 2
    {
        return false;
    }
    let (known, other): (Vec<char>, Vec<char>) = (known.chars().collect(), other.chars().collect());
    let prefix = known.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let suffix = known[prefix..]
        .iter()
        .rev()
        .zip(other[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (left, right) = (
        &known[prefix..known.len() - suffix],
        &other[prefix..other.len() - suffix],
    );
    // A plural or possessive s at the end is no slip: "Achard", "Achards".
    let plural = left.len() + right.len() == 1
        && suffix == 0
        && left.first().or(right.first()) == Some(&'s');
    let swapped = left.len() == 2 && right.len() == 2 && left[0] == right[1] && left[1] == right[0];
    (swapped || left.len().max(right.len()) <= 1) && !plural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name() {
        for (known, other) in [
            ("achard", "ashard"),
            ("frost", "forst"),
            ("okafor", "okaffor"),
        ] {
            assert!(misspelt(known, other), "{known} {other}");
        }
        for (known, other) in [
            ("brown", "browns"),
            ("smith", "smith"),
            ("rao", "roa"),
            ("miller", "muller"),
        ] {
            assert_eq!(misspelt(known, other), known == "miller", "{known} {other}");
        }
        assert_eq!(folded("O’Brien’s"), "o'brien");
        assert_eq!(folded("Peña"), "pena");
        assert!(given_names_agree("bill", "william") && given_names_agree("j", "joan"));
        assert!(!given_names_agree("bill", "hillary"));
    }
}
