"""Sparse vectors find texts by any form of a word."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moodswarm.records.sparse import SPARSE_TYPE, SparseVector
from moodswarm.text.lexical import LexicalEncoder, LexicalParams, lexical_batch

ENGLISH = LexicalEncoder()


def document(
    text: str, title: str | None = None, encoder: LexicalEncoder = ENGLISH
) -> SparseVector:
    return encoder.encode_documents([text], [title])[0]


def score(query: str, text: str, title: str | None = None, language: str = "english") -> float:
    """Return how well a query matches a text if all terms are equally rare."""
    encoder = LexicalEncoder(LexicalParams(language=language))
    vector = document(text, title, encoder)
    weights = dict(zip(vector.indices, vector.values, strict=True))
    asked = encoder.encode_query(query)
    return sum(
        value * weights.get(index, 0)
        for index, value in zip(asked.indices, asked.values, strict=True)
    )


def finds(query: str, text: str, language: str = "english") -> bool:
    return score(query, text, language=language) > 0


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("GULLS", "One gull flies."),
        ("flying", "It flies, they fly and flying is hard"),
        ("cafe", "Das Café"),
        ("café", "CAFE"),
        ("cafe\u0301", "caf\u00e9"),
        ("ｆｕｌｌ", "full width"),
        ("don't stop", "stopped"),
        ("naïve", "naive"),
        ("file", "the ﬁle"),
        ("zürich", "nach Zürich"),
        ("strasse", "die Straße"),
        ("Größe", "GRÖSSE"),
        ("Ver\xadwaltung", "Verwaltung"),
        ("الشاي", "الشَّاي"),
        ("שלום", "שָׁלוֹם"),
    ],
)
def test_a_word_is_found_in_any_form(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize("query", ["read_csv_file", "csv", "reading files", "READ_CSV_FILE"])
def test_a_snake_case_name_is_found_whole_and_by_its_parts(query: str) -> None:
    assert finds(query, "call read_csv_file()")


@pytest.mark.parametrize("query", ["parseHTTPResponse", "parsehttpresponse", "http", "responses"])
def test_a_camel_case_name_is_found_whole_and_by_its_parts(query: str) -> None:
    assert finds(query, "x = parseHTTPResponse(y)")


@pytest.mark.parametrize("query", ["os.path.join", "path", "join"])
def test_a_dotted_name_is_found_whole_and_by_its_parts(query: str) -> None:
    assert finds(query, "use os.path.join here")


@pytest.mark.parametrize("query", ["dataframes", "DataFrame", "data frame"])
def test_a_name_is_found_as_prose_writes_it(query: str) -> None:
    assert finds(query, "pandas.DataFrame")


def test_the_whole_name_scores_more_than_its_parts() -> None:
    assert score("read_csv", "call read_csv now") > score("read_csv", "read the csv now")


@pytest.mark.parametrize(("query", "text"), [("url", "all URLs"), ("id", "user IDs")])
def test_a_plural_of_capitals_is_one_word(query: str, text: str) -> None:
    assert finds(query, text)


@pytest.mark.parametrize(
    ("query", "text", "stranger"),
    [
        ("検索", "全文検索の仕組み", "索引検定"),
        ("机器学习", "我们研究机器学习方法", "飞机和武器"),
        ("검색", "전문검색을 한다", "색인"),
        ("ภาษา", "เรียนภาษาไทย", "กขค"),
    ],
)
def test_a_word_is_found_where_no_spaces_are_written(query: str, text: str, stranger: str) -> None:
    assert score(query, text, language="none") > score(query, stranger, language="none")
    assert finds(query, text, "none")


@pytest.mark.parametrize(
    ("query", "text"), [("茶", "我喜欢喝茶。"), ("茶", "日本茶の話"), ("차", "차를 마시는")]
)
def test_a_word_of_one_character_is_found_where_no_spaces_are_written(
    query: str, text: str
) -> None:
    assert finds(query, text)


def test_a_longer_word_is_not_found_by_its_separate_characters() -> None:
    assert not finds("茶色", "色は茶", "none")


@pytest.mark.parametrize(("query", "other"), [("C++", "C#"), ("C#", "C++"), ("f#", "F")])
def test_a_language_named_by_signs_scores_more_than_its_letter(query: str, other: str) -> None:
    assert score(query, f"I write {query.upper()}.") > score(query, f"I write {other}.") > 0


@pytest.mark.parametrize("query", ["🚀", "what is 🚀?", "👍🏽", "👩\u200d🚀", "❤\ufe0f"])
def test_emoji_are_found_by_a_query_of_nothing_else(query: str) -> None:
    assert finds(query, "Launched🚀🚀 👍 ❤!")
    assert not finds("gull 🚀", "Launched 🚀")


def test_a_word_in_capitals_is_one_word_with_accents_too() -> None:
    assert document("GRÜN") == document("grün")
    query = LexicalEncoder(LexicalParams(language="german")).encode_query("WAS IST ÜBER GRÜNEN TEE")
    assert len(query) == 2


def test_an_english_name_is_found_within_chinese() -> None:
    assert finds("python", "用Python编程", "none")


def test_a_word_keeps_its_vowel_signs() -> None:
    assert finds("हिन्दी", "यह हिन्दी है", "hindi")
    assert not finds("हिन्दी", "हद", "hindi")


def test_the_language_chooses_stemmer_and_stop_words() -> None:
    assert finds("Häuser", "ein Haus", "german")
    assert not finds("Häuser", "ein Haus", "none")
    query = "wie sind die Häuser"
    assert len(LexicalEncoder(LexicalParams(language="german")).encode_query(query)) == 1


def test_a_capital_with_an_accent_after_it_does_not_begin_a_name() -> None:
    assert len(document("Häuser")) == 1


def test_stop_words_count_only_in_a_query_of_nothing_else() -> None:
    assert ENGLISH.encode_query("what is a gull") == ENGLISH.encode_query("gull")
    assert finds("to be or not to be", "To be, or not to be")


def test_a_stop_word_within_a_name_is_part_of_the_whole() -> None:
    assert score("is_valid", "if is_valid:") > score("is_valid", "if valid:")


def test_document_values_are_the_term_frequency_part_of_bm25() -> None:
    encoder = LexicalEncoder(LexicalParams(k1=1.5, b=0.75, average_terms=6))
    vector = document("gull gull chips", encoder=encoder)
    expected = [n * 2.5 / (n + 1.5 * (0.25 + 0.75 * 3 / 6)) for n in (1, 2)]
    assert sorted(vector.values) == pytest.approx(expected)


def test_query_values_count_words() -> None:
    assert sorted(ENGLISH.encode_query("gull chips gulls").values) == [1, 2]


def test_indices_ascend_and_each_occurs_once() -> None:
    vector = document("the gulls of Lyme, parseHTML and read_csv and gulls", "Gulls")
    assert list(vector.indices) == sorted(set(vector.indices))


def test_an_index_never_changes() -> None:
    # Stored vectors contain the index of each term. If it has to change, raise `LEXICAL_VERSION`.
    assert LexicalEncoder(LexicalParams(language="none")).encode_query("gull").indices == (
        1489220549,
    )


def test_a_title_raises_its_words_in_every_chunk() -> None:
    assert score("gulls", "They steal.", title="On gulls") > 0
    assert score("gulls", "Gulls steal.", title="On gulls") > score("gulls", "Gulls steal.")


def test_a_title_does_not_make_a_text_longer() -> None:
    assert score("steal", "They steal.", title="On gulls") == score("steal", "They steal.")


def test_titles_can_be_left_out() -> None:
    encoder = LexicalEncoder(LexicalParams(title_weight=0))
    assert document("They steal.", "Gulls", encoder) == document("They steal.", None, encoder)


@pytest.mark.parametrize("text", ["", " \n", "...", "\0\0", "\u200b"])
def test_a_text_without_words_has_an_empty_vector(text: str) -> None:
    assert document(text) == ENGLISH.encode_query(text) == SparseVector((), ())


@pytest.mark.parametrize(
    "text", ["a" * 10**6, "A" * 10**6, "aB1_" * 10**5, "a." * 10**5, "漢字" * 10**5, "a\0" * 10**5]
)
def test_hostile_text_has_few_terms(text: str) -> None:
    assert 1 <= len(document(text, text)) <= 4
    assert 1 <= len(ENGLISH.encode_query(text[:100_000])) <= 3


def test_a_long_query_keeps_its_most_frequent_terms() -> None:
    query = "gull " * 5 + " ".join(f"w{n}x" for n in range(20_000))
    vector = LexicalEncoder(LexicalParams(query_terms=10)).encode_query(query)
    assert len(vector) == 10
    assert 5 in vector.values


@given(st.text(max_size=200), st.none() | st.text(max_size=20))
def test_values_of_any_text_are_finite_and_above_zero(text: str, title: str | None) -> None:
    vector = document(text, title)
    assert all(0 <= index < 2**32 for index in vector.indices)
    assert all(0 < value < 100 for value in vector.values)


@given(st.text(alphabet="aB_. é漢ñ9", max_size=60))
def test_a_text_finds_itself(text: str) -> None:
    found = set(document(text).indices)
    assert set(ENGLISH.encode_query(text).indices) <= found


def test_there_must_be_as_many_titles_as_texts() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ENGLISH.encode_documents(["a", "b"], [None])


def test_identity_names_the_parameters() -> None:
    assert LexicalEncoder().identity == LexicalEncoder(LexicalParams()).identity
    assert LexicalEncoder(LexicalParams(b=0.5)).identity != LexicalEncoder().identity


def test_a_pickled_encoder_encodes_the_same() -> None:
    copy = pickle.loads(pickle.dumps(ENGLISH))
    assert copy.identity == ENGLISH.identity
    assert copy.encode_query("stolen gulls") == ENGLISH.encode_query("stolen gulls")


def test_threads_share_an_encoder() -> None:
    words = [f"flying{n} runners walked {n}" for n in range(300)]
    expected = [LexicalEncoder().encode_query(word) for word in words]
    shared = LexicalEncoder()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shared.encode_query, words)) == expected


def test_the_batch_step_appends_a_column() -> None:
    table = pa.table(
        {"id": ["1", "2"], "text": ["gulls", ""], "title": pa.array(["On chips", None])}
    )
    found = lexical_batch(table, ENGLISH)
    assert found.drop_columns("lexical").equals(table)
    assert found.schema.field("lexical").type == SPARSE_TYPE
    first, second = found["lexical"].to_pylist()
    assert tuple(first["indices"]) == document("gulls", "On chips").indices
    assert first["values"] == pytest.approx(document("gulls", "On chips").values)
    assert second == {"indices": [], "values": []}


def test_the_batch_step_takes_an_empty_table() -> None:
    table = pa.table({"text": pa.array([], pa.string()), "title": pa.array([], pa.string())})
    assert lexical_batch(table, ENGLISH)["lexical"].type == SPARSE_TYPE


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"language": "klingon"}, "unknown language 'klingon'; expected one of none, arabic"),
        ({"b": 1.5}, "b"),
        ({"k1": -1}, "k1"),
        ({"average_terms": 0}, "average_terms"),
        ({"query_terms": 0}, "query_terms"),
        ({"stemmer": "porter"}, "stemmer"),
    ],
)
def test_bad_parameters_are_refused(bad: dict[str, object], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        LexicalParams.model_validate(bad)
