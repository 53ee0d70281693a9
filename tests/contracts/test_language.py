"""The language of records."""

import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("pycld2")
pytest.importorskip("py3langid")

from tunewright.checks import _language, _language_bayes, by_record, checks
from tunewright.checks._language import identify, legible
from tunewright.checks.language import language
from tunewright.nouns import Finding, Message, Origin, Record, Role, Trait

SENTENCES = {
    "ar": "يمكنك إعادة تعيين كلمة المرور من صفحة الإعدادات.",
    "cs": "Heslo si můžete kdykoli změnit na stránce s nastavením účtu.",
    "da": "Du kan nulstille din adgangskode på siden med indstillinger, hvis du har glemt den.",
    "de": "Sie können Ihr Passwort jederzeit in den Einstellungen zurücksetzen.",
    "el": "Μπορείτε να αλλάξετε τον κωδικό σας από τις ρυθμίσεις.",
    "en": "You can reset your password on the settings page at any time.",
    "es": "Puede restablecer su contraseña en cualquier momento desde la página de ajustes.",
    "et": "Saate oma parooli igal ajal seadete lehel lähtestada.",
    "fa": "شما می‌توانید گذرواژه خود را در صفحه تنظیمات بازنشانی کنید.",
    "fi": "Voit vaihtaa salasanasi milloin tahansa asetussivulla.",
    "fr": "Vous pouvez réinitialiser votre mot de passe à tout moment dans les paramètres.",
    "he": "אפשר לאפס את הסיסמה בכל עת בדף ההגדרות.",
    "hi": "आप सेटिंग पृष्ठ पर कभी भी अपना पासवर्ड बदल सकते हैं।",
    "hu": "A jelszavát bármikor visszaállíthatja a beállítások oldalon.",
    "hy": "Դուք կարող եք փոխել ձեր գաղտնաբառը կարգավորումների էջում։",
    "it": "Può reimpostare la password in qualsiasi momento dalla pagina delle impostazioni.",
    "ja": "パスワードは設定ページでいつでも変更できます。",
    "ka": "პაროლის შეცვლა ნებისმიერ დროს შეგიძლიათ პარამეტრების გვერდზე.",
    "ko": "비밀번호는 설정 페이지에서 언제든지 변경할 수 있습니다.",
    "lt": "Slaptažodį bet kada galite pakeisti nustatymų puslapyje.",
    "lv": "Paroli jebkurā laikā varat atiestatīt iestatījumu lapā.",
    "nl": "U kunt uw wachtwoord altijd opnieuw instellen op de pagina met instellingen.",
    "pl": "Hasło można w każdej chwili zmienić na stronie ustawień.",
    "pt": "Você pode redefinir sua senha a qualquer momento na página de configurações.",
    "ro": "Vă puteți reseta parola oricând din pagina de setări.",
    "ru": "Вы можете сбросить пароль в любое время на странице настроек.",
    "sl": "Geslo lahko kadar koli ponastavite na strani z nastavitvami.",
    "sv": "Du kan när som helst återställa ditt lösenord på inställningssidan.",
    "th": "คุณสามารถรีเซ็ตรหัสผ่านได้ตลอดเวลาในหน้าการตั้งค่า",
    "tr": "Şifrenizi ayarlar sayfasından istediğiniz zaman sıfırlayabilirsiniz.",
    "uk": "Ви можете скинути пароль будь-коли на сторінці налаштувань.",
    "vi": "Bạn có thể đặt lại mật khẩu bất cứ lúc nào trên trang cài đặt.",
    "zh": "您可以随时在设置页面重置密码。",
}


def of(*turns: tuple[Role, str], name: str = "r", label: str = "") -> Record:
    messages = tuple(Message(role=role, content=content) for role, content in turns)
    return Record(id=name, messages=messages, label=label, origin=Origin(source="s", file="f", line=1))


def kinds(*turns: tuple[Role, str]) -> list[str]:
    return [seen.what for seen in language([of(*turns)]) if isinstance(seen, Finding)]


def value(text: str) -> str:
    return next(seen.value for seen in language([of(("user", text))]) if isinstance(seen, Trait))


@pytest.fixture
def forgetting() -> Iterator[None]:
    """What is installed is looked up again, before and after."""
    _language._cld2.cache_clear()
    _language_bayes.bayes.cache_clear()
    yield
    _language._cld2.cache_clear()
    _language_bayes.bayes.cache_clear()


def test_thirty_three_languages_are_told_apart() -> None:
    answers = identify(list(SENTENCES.values()))
    assert [code for code, _ in answers] == list(SENTENCES)
    assert all(0 < sure <= 1 for _, sure in answers)


def test_the_mixture_adds_up_to_the_number_of_records() -> None:
    records = [
        of(("user", text), name=f"r{n}") for n, text in enumerate([*SENTENCES.values(), "", "42", "ok"] * 40)
    ]
    traits = [seen for seen in language(iter(records)) if isinstance(seen, Trait)]
    assert [trait.record for trait in traits] == [record.id for record in records]
    assert {trait.name for trait in traits} == {"language"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "12345 67890",
        "???",
        "a_b[c] += {1: (2, 3)};",
        "\ud800\x00\ufffe",
        "https://example.org/abc-def",
    ],
)
def test_what_cannot_be_told_is_undetermined(text: str) -> None:
    assert value(text) == "und"


def test_control_characters_and_lone_surrogates_are_no_obstacle() -> None:
    assert value("\x00\ud800 " + SENTENCES["de"] + "\ufffe\x1b") == "de"


def test_code_addresses_and_tags_do_not_make_a_text_english() -> None:
    code = "```python\nfor line in open(name):\n    print('the answer of the day is', line)\n```"
    assert value(f"Warum gibt das nichts aus?\n{code}\nIch verstehe es nicht.") == "de"
    assert "print" not in legible(code)
    assert legible("see https://example.org/the/page or <b>x</b>").split() == ["see", "or", "x"]


def test_a_label_is_not_read_as_an_answer() -> None:
    record = of(
        ("user", SENTENCES["de"]), ("assistant", "reset the password of the account please now"), label="x"
    )
    assert [seen.value for seen in language([record]) if isinstance(seen, Trait)] == ["de"]


def test_an_unexpected_language_is_named_with_what_was_expected() -> None:
    seen = list(language([of(("user", SENTENCES["pl"]))], expected=("en", "no")))
    (finding,) = [one for one in seen if isinstance(one, Finding)]
    assert (finding.what, finding.severity) == ("unexpected", "low")
    assert "pl" in finding.note
    assert "en, no" in finding.note
    assert SENTENCES["pl"][:10] not in finding.note


def test_expecting_norwegian_expects_both_its_written_forms_and_region_tags_are_understood() -> None:
    bokmaal = "Du kan når som helst tilbakestille passordet ditt på innstillingssiden hvis du har glemt det."
    assert kinds(("user", bokmaal)) == []
    for expected in ("no", "nb", "nb-NO"):
        assert [
            s for s in language([of(("user", bokmaal))], expected=(expected,)) if isinstance(s, Finding)
        ] == []
    assert kinds(("user", "42")) == []


ASKED = "How do I reset the password of my account? I have tried it three times and nothing happens at all."
ANSWERED = (
    "Gehen Sie auf die Einstellungen, wählen Sie Sicherheit und klicken Sie dann auf Passwort zurücksetzen. "
    "Danach erhalten Sie eine Nachricht mit allen weiteren Schritten."
)


def test_an_answer_in_another_language_than_the_question_is_mixed() -> None:
    seen = list(language([of(("user", ASKED), ("assistant", ANSWERED))]))
    (finding,) = [one for one in seen if isinstance(one, Finding)]
    assert (finding.what, finding.message, finding.severity) == ("mixed", 1, "low")
    assert "translation" in finding.note


@pytest.mark.parametrize(
    "turns",
    [
        (("user", "Translate this for me: " + ASKED), ("assistant", ANSWERED)),
        (("user", ASKED + " Please answer in German."), ("assistant", ANSWERED)),
        (("system", "Always answer in German."), ("user", ASKED), ("assistant", ANSWERED)),
        (("user", ASKED + "\n" + ANSWERED), ("assistant", ANSWERED)),
        (("user", "hi"), ("assistant", ANSWERED)),
        (("user", ASKED), ("assistant", "Guten Tag!")),
        (
            ("user", ASKED),
            ("assistant", f'It says "{ANSWERED}" there; have you tried to follow these steps yet?'),
        ),
        (
            ("user", ASKED),
            ("assistant", "You could try this one here:\n```\n" + ANSWERED + "\n```\nDid that help?"),
        ),
        (
            ("user", SENTENCES["da"] * 2),
            ("assistant", "Du kan tilbakestille passordet på innstillingssiden. " * 3),
        ),
        (("user", ASKED),),
    ],
)
def test_translations_quotes_code_and_short_turns_are_not_mixed(turns: tuple[tuple[Role, str], ...]) -> None:
    assert kinds(*turns) == []


def test_the_second_opinion_agrees_with_its_package() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    own = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    ours = _language_bayes.bayes()
    assert ours is not None
    texts = [*SENTENCES.values(), "HELLO EVERYBODY IN THE ROOM"]
    for text, row in zip(texts, ours.votes(texts), strict=True):
        ranked = own.rank(text)
        assert ours.codes[int(row.argmax())] == _language_bayes.CODES.get(ranked[0][0], ranked[0][0])


@pytest.mark.parametrize(("gone", "left"), [("pycld2", "py3langid"), ("py3langid", "pycld2")])
@pytest.mark.usefixtures("forgetting")
def test_one_of_the_two_packages_is_enough(monkeypatch: pytest.MonkeyPatch, gone: str, left: str) -> None:
    monkeypatch.setitem(sys.modules, gone, None)
    if gone == "py3langid":
        monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    assert _language.opinions() == (left,)
    right = [
        code == answer
        for code, (answer, _) in zip(SENTENCES, identify(list(SENTENCES.values())), strict=True)
    ]
    assert sum(right) >= 30
    assert identify(["", "42"]) == [("und", 0.0)] * 2


@pytest.mark.usefixtures("forgetting")
def test_without_both_packages_the_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pycld2", "py3langid", "py3langid.langid"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError) as caught:
        list(language([of(("user", ASKED))]))
    assert caught.value.name == "pycld2"


def test_the_check_looks_at_each_record_and_states_its_limits() -> None:
    assert by_record("language")
    assert "Neighbours are taken for each other" in checks.about("language")[1]
