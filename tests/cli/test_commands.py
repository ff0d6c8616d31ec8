"""evaluate, predict, summary, data and show."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from cli_home import call

from brickwork.data import open_data
from brickwork.models import load_model


def told(*arguments):
    """The object that a command prints with --json, alone on standard output."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


# evaluate


def test_evaluate_repeats_the_test_of_the_training(home):
    found = told("evaluate", home / "table")
    dataset = open_data(str(home / "flats.csv"), target="dear")
    guessed = (
        load_model(home / "table" / "best.safetensors").predict(dataset.x_test, verbose=0).argmax(axis=1)
    )
    assert found["rows"] == len(dataset.x_test) == 18
    assert found["accuracy"] == pytest.approx(np.mean(guessed == dataset.y_test))
    assert told("evaluate", home / "table", home / "flats.csv") == found  # and not the rows it was trained on


def test_evaluate_on_other_data_takes_all_rows(home, tmp_path):
    shutil.copy(home / "flats.csv", tmp_path / "more.csv")
    assert told("evaluate", home / "table", tmp_path / "more.csv")["rows"] == 90
    found = told("evaluate", home / "prices", tmp_path / "more.csv")
    assert found["accuracy"] is None and found["mae"] > 0 and found["r2"] < 1


def test_evaluate_images_and_arrays(home, tmp_path):
    shutil.copytree(home / "pictures", tmp_path / "pictures")
    assert told("evaluate", home / "seen", tmp_path / "pictures")["rows"] == 24
    with np.load(home / "rows.npz") as arrays:
        np.savez(tmp_path / "test.npz", x_test=arrays["x"][:7], y_test=arrays["y"][:7])
        np.savez(tmp_path / "bad.npz", x=arrays["x"], y=arrays["y"] + 5)
    assert told("evaluate", home / "rows", tmp_path / "test.npz")["rows"] == 7
    result = call("evaluate", home / "rows", tmp_path / "bad.npz")
    assert result.exit_code == 2
    assert "labels must be class numbers in 0 … 1, as in training" in result.stderr


def test_evaluate_an_epoch(home):
    assert told("evaluate", home / "table", "--epoch", 2)["model"] == "epoch-0002.safetensors"
    result = call("evaluate", home / "table", "--epoch", 1)
    assert result.exit_code == 2
    assert "keeps epochs 2, 3; got --epoch=1" in result.stderr
    assert "keeps none" in call("evaluate", home / "seen", "--epoch", 1).stderr


def test_evaluate_for_people(home):
    result = call("evaluate", home / "prices")
    assert result.exit_code == 0, result.output
    assert "Test R2" in result.stdout and "Test MAE" in result.stdout


def test_evaluate_refuses_data_that_changed(home, tmp_path):
    shutil.copy(home / "flats.csv", tmp_path / "flats.csv")
    run = tmp_path / "run"
    assert (
        call("train", tmp_path / "flats.csv", "--target", "dear", "--epochs", 1, "--out", run).exit_code == 0
    )
    with open(tmp_path / "flats.csv", "a") as file:
        file.write("Ulm,80,gas,240000,yes\n")
    result = call("evaluate", run)
    assert result.exit_code == 2
    assert "it has changed. Restore it, or give other data" in result.stderr


# predict


def test_predict_a_picture(home):
    found = told("predict", home / "seen", home / "pictures" / "day" / "00.png")["predictions"]
    (one,) = found
    assert one["row"] is None and set(one["probabilities"]) == {"day", "night"}
    assert one["probability"] == max(one["probabilities"].values())
    assert sum(one["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert f"00.png: {one['label']}" in call("predict", home / "seen", one["file"]).stdout


def test_predict_a_picture_of_another_size_and_colour(home, tmp_path):
    from PIL import Image

    Image.new("L", (50, 40), 200).save(tmp_path / "grey.png")
    result = call("predict", home / "seen", tmp_path / "grey.png")
    assert result.exit_code == 0, result.output
    assert "grey.png has 40 x 50 pixels; it is stretched to 8 x 10" in result.stderr


def test_predict_a_folder_and_a_table_of_answers(home, tmp_path):
    out = tmp_path / "answers.csv"
    result = call("predict", home / "seen", home / "pictures" / "day", "--out", out)
    assert result.exit_code == 0, result.output
    assert f"12 rows are written to {out}" in result.stdout
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert list(rows[0]) == ["file", "row", "label", "probability", "p_day", "p_night"]
    assert len(rows) == 12


def test_predict_rows_of_a_table_that_lacks_the_target(home, tmp_path):
    cells = [line.split(",") for line in (home / "flats.csv").read_text().splitlines()]
    (tmp_path / "new.csv").write_text("\n".join(",".join([*row[:3], row[4]]) for row in cells))
    out = tmp_path / "prices.csv"
    result = call("predict", home / "prices", tmp_path / "new.csv", "--out", out)
    assert result.exit_code == 0, result.output
    assert "70 more rows; --out FILE.csv writes all of them." in result.stdout
    written = [float(row["prediction"]) for row in csv.DictReader(out.read_text().splitlines())]
    dataset = open_data(str(home / "flats.csv"), target="price")
    model = load_model(home / "prices" / "best.safetensors")
    wanted = model.predict(dataset.preprocessing.encode(str(home / "flats.csv")), verbose=0)[:, 0]
    np.testing.assert_allclose(written, wanted, rtol=1e-5)


def test_predict_arrays(home, tmp_path):
    with np.load(home / "rows.npz") as arrays:
        np.save(tmp_path / "x.npy", arrays["x"][:4])
        np.save(tmp_path / "one.npy", arrays["x"][0])
    many = told("predict", home / "rows", tmp_path / "x.npy")["predictions"]
    assert [one["row"] for one in many] == [1, 2, 3, 4] and many[0]["label"] in ("0", "1")
    (one,) = told("predict", home / "rows", tmp_path / "one.npy")["predictions"]
    assert one["probability"] == pytest.approx(many[0]["probability"], rel=1e-5)
    assert len(told("predict", home / "rows", home / "rows.npz")["predictions"]) == 40


def test_unknown_categories(home, tmp_path):
    text = (home / "flats.csv").read_text().replace("Ulm", "Rom")
    (tmp_path / "new.csv").write_text(text)
    result = call("predict", home / "table", tmp_path / "new.csv", "--out", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "column 'town': 'Rom' is not one of the 3 categories seen in training" in result.stderr
    assert "--ignore-unknown does so." in result.stderr
    assert not (tmp_path / "out.csv").exists()
    assert call("predict", home / "table", tmp_path / "new.csv", "--ignore-unknown").exit_code == 0


# summary, data, show


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["lenet5"], "61,706"),
        (["mlp", "--data", "iris", "--bricks"], "Linear"),
        (["NETS:small", "--data", "iris"], "(None, 3)"),
        (["HOME/table"], "heating: 2 categories"),
        (["HOME/table", "--epoch", "2"], "Total params"),
        (["HOME/seen/last.safetensors"], "(None, 8, 10, 3)"),
    ],
)
def test_summary(arguments, words, home):
    arguments = [word.replace("NETS", str(home / "nets.py")).replace("HOME", str(home)) for word in arguments]
    result = call("summary", *arguments)
    assert result.exit_code == 0, result.output
    assert words in result.stdout
    assert told("summary", *arguments)["parameters"] > 0


def test_data(home):
    assert "digits" in call("data", "list").stdout
    assert [one["name"] for one in told("data", "list")["data"]][:2] == ["digits", "iris"]
    assert "R. A. Fisher" in call("data", "fetch", "iris").stdout
    assert told("data", "fetch", "moons")["shape"] == [2]
    assert call("data", "list", "--help").exit_code == call("data", "fetch", "--help").exit_code == 0


def test_show_confusion(home):
    found = told("show", home / "table", "confusion")
    assert found["classes"] == ["no", "yes"] and np.sum(found["matrix"]) == 18
    assert (home / "table" / "confusion.png").read_bytes()[:4] == b"\x89PNG"
    assert "true \\ predicted" in call("show", home / "table", "confusion").stdout


def test_show_curves(home, tmp_path):
    out = tmp_path / "curves.png"
    assert told("show", home / "prices", "curves", "--smooth", 0.6, "--out", out)["epochs"] == 3
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert "val_mae" in call("show", home / "prices", "curves", "--out", out).stdout
