import pytest

from s3prl_pemr.store.dataset_name import DatasetName, read_dataset_name, write_dataset_name
from s3prl_pemr.store.groups import Group, read_groups, write_groups
from s3prl_pemr.store.index import StoreError

GROUPS = {
    "0/a.mp3": Group('Ä & "B"', "Song | 1 / Ä / Album"),
    "0/tab\there\udcff.mp3": Group("line\nbreak", "back\\slash"),
}


def test_groups_come_back(tmp_path):
    write_groups(tmp_path, GROUPS)
    assert read_groups(tmp_path) == GROUPS
    assert (tmp_path / "groups.tsv").read_bytes().count(b"\n") == 3
    write_groups(tmp_path, {})
    assert read_groups(tmp_path) == {}


def test_no_groups(tmp_path):
    assert read_groups(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "its first line is not track<TAB>artist<TAB>song"),
        ("track\tartist\n", "its first line is not"),
        ("track\tartist\tsong\na\tb\n", "line 2 has 2 columns, not 3"),
        ("track\tartist\tsong\na\tb\tc\na\tb\tc\n", "line 3 lists its track again"),
    ],
)
def test_a_damaged_table_is_one_line(tmp_path, content, message):
    (tmp_path / "groups.tsv").write_text(content)
    with pytest.raises(StoreError, match=message):
        read_groups(tmp_path)


def test_the_name_of_the_data_set(tmp_path):
    assert read_dataset_name(tmp_path) is None
    write_dataset_name(tmp_path, DatasetName("magnatagatune", "pons"))
    assert read_dataset_name(tmp_path) == DatasetName("magnatagatune", "pons")
    assert str(read_dataset_name(tmp_path)) == "magnatagatune, split pons"
    assert (tmp_path / "dataset.json").read_text() == '{"name": "magnatagatune", "split": "pons"}\n'
    assert str(DatasetName("my music")) == "my music"


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"title": "x"}'])
def test_a_damaged_name_is_one_line(tmp_path, content):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(StoreError, match="dataset.json: damaged"):
        read_dataset_name(tmp_path)
