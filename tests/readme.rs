//! The README's table of columns is the data dictionary in the code.

use quotestance::record::COLUMNS;

#[test]
fn the_readme_tells_every_column_as_the_code_does() {
    let readme = include_str!("../README.md");
    let table: String = COLUMNS
        .iter()
        .map(|column| format!("| `{}` |{} |\n", column.name, column.meaning))
        .collect();
    assert!(
        readme.contains(&table),
        "the table in README.md should read:\n{table}"
    );
}
