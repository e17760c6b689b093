use proptest::prelude::*;

use super::*;

fn conditions(text: &str) -> Vec<Condition> {
    SearchQuery::parse(text).conditions
}

#[test]
fn words_operators_and_quotes() {
    use Condition::*;
    let word = |text: &str| Words(text.into());
    assert_eq!(conditions("  slow\u{a0}trains "), [word("slow"), word("trains")]);
    assert_eq!(conditions("\"slow trains\" OWNER:Me"), [word("slow trains"), Mine]);
    assert_eq!(conditions("owner:“Juniper Wren” tag:rain"), [Owner("Juniper Wren".into()), Tag("rain".into())]);
    assert_eq!(conditions("public:false collaborative:yes is:hearted"), [Public(false), Collaborative(true), Hearted]);
    assert_eq!(
        conditions("10:30 https://x \"owner:me\" a\"b c\"d"),
        ["10:30", "https://x", "owner:me", "ab cd"].map(word)
    );
    assert_eq!(conditions("\"never closed"), [word("never closed")]);
    assert_eq!(conditions("\"\" \u{301} \0"), []);
}

#[test]
fn an_invalid_operator_does_not_affect_the_rest() {
    let search = SearchQuery::parse("rain public:maybe tag: is:\"a heart\" owner:me");
    assert_eq!(search.conditions, [Condition::Words("rain".into()), Condition::Mine]);
    let invalid: Vec<_> =
        search.invalid_operators.iter().map(|invalid| (invalid.operator.key(), invalid.value.as_str())).collect();
    assert_eq!(invalid, [("public", "maybe"), ("tag", ""), ("is", "a heart")]);
    assert_eq!(search.text, "rain public:maybe tag: is:\"a heart\" owner:me");
}

#[test]
fn a_word_like_an_operator_is_searched_and_reported() {
    let search = SearchQuery::parse("foo:bar 10:30 https://x \"a:b\" Vol: é:x mood:\"b c\"");
    assert_eq!(search.conditions.len(), 7);
    assert_eq!(search.unknown_operators, [("foo:bar".to_owned(), "foo".to_owned())]);
}

#[test]
fn the_filter_is_folded() {
    let filter = SearchQuery::parse("Été owner:FRAU tag:#Über public:true public:false").to_filter();
    assert_eq!((filter.include.words, filter.include.owners), (vec!["ete".into()], vec!["frau".into()]));
    assert_eq!((filter.include.tags, filter.public), (vec!["uber".into()], Some(false)));
}

#[test]
fn a_minus_negates_what_follows_it() {
    use Condition::*;
    let not = |condition: Condition| Not(Box::new(condition));
    assert_eq!(
        conditions("-live -\"slow trains\" -tag:rain -owner:me -is:changed -owner:\"J W\""),
        [
            not(Words("live".into())),
            not(Words("slow trains".into())),
            not(Tag("rain".into())),
            not(Mine),
            not(Updated),
            not(Owner("J W".into()))
        ]
    );
    assert_eq!(conditions("-public:true -collaborative:no"), [Public(false), Collaborative(true)]);
    assert_eq!(conditions("a - b -- \"-c\" d-e"), ["a", "-", "b", "--", "-c", "d-e"].map(|word| Words(word.into())));
    let filter = SearchQuery::parse("été -Live -tag:#Rain is:gone -is:untagged").to_filter();
    assert_eq!((filter.include.words, filter.exclude.words), (vec!["ete".into()], vec!["live".into()]));
    assert_eq!(
        (filter.exclude.tags, filter.unavailable, filter.untagged),
        (vec!["rain".into()], Some(true), Some(false))
    );
    assert_eq!(SearchQuery::parse("-foo:bar -is:odd").invalid_operators.len(), 1);
}

#[test]
fn toggling_a_condition_keeps_the_rest_of_the_text() {
    use Condition::*;
    for (text, condition, toggled) in [
        ("", Mine, "owner:me"),
        ("été  \"slow trains\"", Hearted, "été \"slow trains\" is:hearted"),
        ("a OWNER:Me b owner:me", Mine, "a b"),
        ("public:true x", Public(false), "x public:false"),
        ("x public:no", Public(false), "x"),
        ("-is:gone", Unavailable, "is:unavailable"),
        ("tag:ÉTÉ", Tag("été".into()), ""),
        ("-tag:ete x", Tag("été".into()), "x tag:été"),
        ("x", Tag("Late Night".into()), "x tag:\"Late Night\""),
        ("\"never closed", Updated, "\"never closed\" is:updated"),
        ("foo:bar tag: 10:30", Untagged, "foo:bar tag: 10:30 is:untagged"),
    ] {
        let toggled_text = SearchQuery::parse(text).toggle(&condition).unwrap();
        assert_eq!(toggled_text, toggled, "{text}");
        assert_ne!(
            SearchQuery::parse(text).has(&condition),
            SearchQuery::parse(&toggled_text).has(&condition),
            "{text}"
        );
    }
    let full = "x".repeat(95);
    assert_eq!(SearchQuery::parse(&full).toggle(&Mine), None, "no room for both");
    let ten = "a b c d e f g h i j";
    assert_eq!(SearchQuery::parse(ten).toggle(&Mine), None);
    assert_eq!(SearchQuery::parse(ten).toggle(&Words("J".into())).unwrap(), "a b c d e f g h i");
    let repeated = "a ".repeat(20) + "is:odd";
    assert_eq!(SearchQuery::parse(&repeated).toggle(&Mine).unwrap(), repeated.clone() + " owner:me");
}

#[test]
fn repeated_terms_are_read_once() {
    use Condition::*;
    let search = SearchQuery::parse("Été ete a ÉTÉ tag:Rain tag:#rain is:gone is:unavailable owner:x owner:X -a");
    let not_a = Not(Box::new(Words("a".into())));
    let [tag, owner] = [Tag("Rain".into()), Owner("x".into())];
    assert_eq!(search.conditions, [Words("Été".into()), Words("a".into()), tag, Unavailable, owner, not_a]);
    let search = SearchQuery::parse("a b c d e f g h i j J a");
    assert_eq!((search.conditions.len(), search.has_more_words), (MAX_CONDITIONS, false));
}

#[test]
fn words_are_limited_in_number_and_length() {
    let search = SearchQuery::parse("a b c d e f g h i owner:j tag:k l is:hearted");
    assert_eq!((search.conditions.len(), search.has_more_words), (MAX_CONDITIONS, true));
    let search = SearchQuery::parse("a b c d e f g h i j \"\" \u{301}");
    assert_eq!((search.conditions.len(), search.has_more_words), (MAX_CONDITIONS, false));
    for word in ["x".repeat(60), format!("owner:{}", "é".repeat(51)), "ﷺ".repeat(90), "a b".repeat(20)] {
        let search = SearchQuery::parse(&format!("\"{word}\"").replace("\"owner:", "owner:\""));
        let filter = search.to_filter();
        let lengths = filter.include.words.iter().chain(&filter.include.owners).map(|word| word.chars().count());
        assert_eq!((lengths.max(), search.has_long_word), (Some(MAX_WORD_CHARS), true), "{word}");
    }
    assert!(!SearchQuery::parse(&"x".repeat(50)).has_long_word);
}

proptest! {
    #[test]
    fn any_text_is_a_query(text in "(\\PC|[\"“ :\\x00-\\x20]|owner:|tag:|is:hearted| -){0,150}") {
        let search = SearchQuery::parse(&text);
        prop_assert!(search.text.chars().count() <= MAX_QUERY_CHARS);
        prop_assert_eq!(&SearchQuery::parse(&search.text).conditions, &search.conditions);
        let filter = search.to_filter();
        let mut texts = [&filter.include, &filter.exclude].into_iter().flat_map(|texts| [&texts.words, &texts.owners, &texts.tags]).flatten();
        prop_assert!(texts.all(|text| !text.contains('\0') && text.trim_end() == fold(text)));
        prop_assert!(search.conditions.len() <= MAX_CONDITIONS);
        for condition in [Condition::Mine, Condition::Tag("a b".into())] {
            let Some(text) = search.toggle(&condition) else {
                prop_assert!(!search.has(&condition));
                continue;
            };
            let toggled = SearchQuery::parse(&text);
            prop_assert!(toggled.has(&condition) != search.has(&condition));
            let kept = search.conditions.iter().filter(|other| !other.is_same(&condition));
            prop_assert!(kept.filter(|other| !other.is_same(&condition.clone().negate())).all(|other| toggled.has(other)));
        }
    }
}
