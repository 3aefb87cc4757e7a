use super::*;

fn read(path: &Path, options: ReadOptions) -> Vec<std::result::Result<(String, String), String>> {
    Articles::new([Given::Path(path.to_owned())], options)
        .map(|article| {
            article
                .map(|article| (article.id, article.text))
                .map_err(|error| error.to_string().replace(&path.display().to_string(), "IN"))
        })
        .collect()
}

fn ok(id: &str, text: &str) -> std::result::Result<(String, String), String> {
    Ok((id.to_owned(), text.to_owned()))
}

#[test]
fn a_folder_is_walked_in_order_and_bad_files_do_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("sub")).unwrap();
    std::fs::write(path.join("b.txt"), "\u{feff}Bee\r\n").unwrap();
    std::fs::write(path.join("a.md"), "Ay").unwrap();
    std::fs::write(path.join("bad.txt"), &"é“”\n".as_bytes()[..7]).unwrap();
    std::fs::write(path.join("empty.txt"), " \n").unwrap();
    std::fs::write(path.join("image.png"), "no").unwrap();
    std::fs::write(
        path.join("sub/c.jsonl"),
        "{\"text\":\"See\"}\n{\"id\":\"a\",\"text\":\"Ay2\"}",
    )
    .unwrap();
    assert_eq!(
        read(path, ReadOptions::default()),
        [
            ok("a", "Ay"),
            ok("b", "Bee\r\n"),
            Err(
                "IN/bad.txt, line 1, article \"bad\": not UTF-8: most of it is, but not all".into()
            ),
            Err("IN/empty.txt, article \"empty\": no text, expected an article".into()),
            ok("c.jsonl:1", "See"),
            ok("a~2", "Ay2"),
        ]
    );
    let mut articles = Articles::new([Given::Path(path.to_owned())], ReadOptions::default());
    articles.by_ref().for_each(drop);
    let said = articles.take_notices().join("\n");
    assert!(said.contains("1 files passed over"), "{said}");
}

#[test]
fn ids_stay_unique() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "id,text\n7,a\n7,b\n,c\n8,\n7~2,d\n").unwrap();
    let mut articles = Articles::new([Given::Path(path)], ReadOptions::default());
    let ids: Vec<_> = articles
        .by_ref()
        .map(|article| article.map_or("-".into(), |a| a.id))
        .collect();
    assert_eq!(ids, ["7", "7~2", "t.csv:4", "-", "7~2~2"]);
    assert_eq!(articles.take_notices().len(), 3);
}

#[test]
fn reading_starts_at_any_document_and_passes_over_the_unwanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("a.csv"), "id,text\nx,1\nx,2\nbroken\ny,3\n").unwrap();
    std::fs::write(path.join("b.txt"), "4").unwrap();
    std::fs::write(path.join("c.txt"), "").unwrap();
    std::fs::write(path.join("d.jsonl"), "{\"text\":\"5\",\"id\":\"x\"}").unwrap();
    let from = |first: u64| -> Vec<_> {
        let mut articles = Articles::new([Given::Path(path.to_owned())], ReadOptions::default());
        articles.skip_to(first);
        let documents = articles.map(|article| match article {
            Ok(article) => (article.number.to_string(), article.id),
            Err(error) => ("failed".into(), error.to_string()),
        });
        documents.collect()
    };
    let whole = from(0);
    let ids: Vec<_> = whole.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids[..2], ["x", "x~2"]);
    assert_eq!((ids[3], ids[4], ids[6]), ("y", "b", "x~3"));
    for first in 0..=7 {
        assert_eq!(from(first as u64), whole[first..]);
    }
    let shard = |odd: bool| {
        let mut articles = Articles::new([Given::Path(path.to_owned())], ReadOptions::default());
        let mut count = 0;
        articles.only(move |_| {
            count += 1;
            (count % 2 == 1) == odd
        });
        let count = articles.by_ref().count();
        assert_eq!(articles.position(), 7);
        count
    };
    assert_eq!(shard(true) + shard(false), 7);
}

#[test]
fn patterns_and_lists_name_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (name, text) in [
        ("2023/a.txt", "1"),
        ("2024/a.txt", "2"),
        ("2024/b.html", "no"),
        ("z.txt", "3"),
    ] {
        std::fs::create_dir_all(path.join(name).parent().unwrap()).unwrap();
        std::fs::write(path.join(name), text).unwrap();
    }
    let pattern = path.join("20*/*.txt");
    assert_eq!(
        read(&pattern, ReadOptions::default()),
        [ok("2023/a", "1"), ok("2024/a", "2")]
    );
    let nothing = read(&path.join("19*/*.txt"), ReadOptions::default());
    assert!(
        nothing[0]
            .as_ref()
            .unwrap_err()
            .contains("no file that this pattern")
    );
    let list = path.join("list");
    let lines = format!(
        "{0}/z.txt\r\n\n{0}/gone.txt\n{0}/2024/a.txt",
        path.display()
    );
    std::fs::write(&list, lines).unwrap();
    let articles = Articles::new([Given::List(list)], ReadOptions::default());
    let texts: Vec<_> = articles
        .map(|article| {
            article
                .map(|article| article.text)
                .map_err(|error| error.to_string())
        })
        .collect();
    assert_eq!(texts[0].as_deref(), Ok("3"));
    assert!(texts[1].as_ref().unwrap_err().contains("no such file"));
    assert_eq!(texts[2].as_deref(), Ok("2"));
}

#[test]
fn metadata_is_guessed_by_name_and_columns_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(
        &path,
        "Headline,published_at,section,text\nH,2024-05-01,city,x\n",
    )
    .unwrap();
    let open = |keep: &[&str]| {
        let options = ReadOptions {
            keep: keep.iter().map(ToString::to_string).collect(),
            ..ReadOptions::default()
        };
        Articles::new([Given::Path(path.clone())], options)
    };
    let mut articles = open(&["section"]);
    let columns = articles.metadata_columns().unwrap();
    assert_eq!(
        columns.guessed.into_iter().collect::<Vec<_>>(),
        ["date", "title"]
    );
    let metadata = articles.next().unwrap().unwrap().metadata;
    assert_eq!(metadata.title.as_deref(), Some("H"));
    assert_eq!(metadata.date.as_deref(), Some("2024-05-01"));
    assert_eq!(metadata.kept, [Some("city".to_owned())]);
    let error = open(&["sektion"])
        .metadata_columns()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"sektion\"") && error.contains("section"),
        "{error}"
    );
}
