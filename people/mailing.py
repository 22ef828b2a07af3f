"""Mails about accounts. Pages write down what is to be sent; the worker sends it, and tries again for an hour."""

import logging
from datetime import timedelta
from smtplib import SMTPException

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from objectlog.models import Outcome, Via
from objectlog.services import Target, note
from people.confirming import make_confirmation
from people.languages import speaking_to
from people.models import Letter
from people.registering import LASTS, make_link_token, read_link_token
from people.request_selectors import list_promised, may_decide
from people.requests import describe
from people.selectors import list_administrators
from permissions.models import User
from permissions.policy import who_may
from quotas.models import Request
from ui.outside import address_of

logger = logging.getLogger("people.mailing")

_FIRST_WAIT = timedelta(seconds=30)
_MOST_TRIES = 8  # twice the wait each time: an hour in all
_AT_ONCE = 20
_MOST_TOLD = 50  # of those who decide on a request
_MOST_NAMED = 10  # of the machines that were made for one


def can_send() -> bool:
    """Whether this service sends mail at all."""
    return bool(settings.GWM_MAIL_URL)


def invite(person: User) -> None:
    """Have a link sent with which somebody sets the password of an account that was made for them."""
    Letter.objects.create(purpose=Letter.Purpose.INVITE, address=person.email, person=person)


def ask_for_confirmation(person: User, address: str, asked_from: str) -> None:
    """Have a link sent to an address that somebody says is theirs."""
    Letter.objects.create(purpose=Letter.Purpose.CONFIRM, address=address, person=person, asked_from=asked_from)


def tell_former_address(person: User) -> None:
    """Have the address that an account is about to lose told so."""
    _tell(person, Letter.Purpose.CHANGED)


def tell_of_password(person: User) -> None:
    """Have somebody told that their account has another password."""
    _tell(person, Letter.Purpose.CREDENTIAL)


def tell_of_factors(person: User) -> None:
    """Have somebody told that a second factor of theirs was set up or taken away."""
    _tell(person, Letter.Purpose.FACTORS)


def _tell(person: User, purpose: Letter.Purpose) -> None:
    """At the address that they have now: whoever changed it may change that next."""
    if can_send() and person.email:
        Letter.objects.create(purpose=purpose, address=person.email, person=person)


def ask_for_reset(address: str, asked_from: str) -> None:
    """Have a link for a new password sent to whoever has this email address, if anybody has."""
    Letter.objects.create(purpose=Letter.Purpose.RESET, address=address, asked_from=asked_from)


def tell_deciders(asked: Request) -> None:
    """Have those told who decide on a request; who that is is looked up when it is sent."""
    if can_send():
        Letter.objects.create(purpose=Letter.Purpose.ASKED, asked=asked)


def tell_asker(asked: Request) -> None:
    """Have who asked told what was decided."""
    if can_send() and asked.asked_by is not None:
        Letter.objects.create(purpose=Letter.Purpose.DECIDED, asked=asked, person=asked.asked_by)


def ask_for_registration(address: str, asked_from: str) -> None:
    """Have a link sent with which whoever reads mail of this address makes an account."""
    Letter.objects.create(purpose=Letter.Purpose.REGISTER, address=address, asked_from=asked_from)


def send_due_letters() -> int:
    """Send what is due; how many letters are done with. A worker that is killed meanwhile sends one again."""
    done = 0
    for letter in (
        Letter.objects.filter(due_at__lte=timezone.now())
        .select_related("person", "asked__cluster", "asked__persona")
        .order_by("due_at", "pk")[:_AT_ONCE]
    ):
        if claim(letter) and _deliver(letter):
            letter.delete()
            done += 1
    return done


def link_for_password(person: User) -> str:
    """Where this person sets a password without knowing the old one. It works once, and for some days.

    Its host is the configured one, never one that a request named.
    """
    place = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    return address_of("new-password", **place)


def claim(letter: Letter) -> bool:
    """Whether it is taken for this try; not if another worker has, for its moment has moved on then."""
    again = timezone.now() + _FIRST_WAIT * 2**letter.tries
    taken = Letter.objects.filter(pk=letter.pk, due_at=letter.due_at).update(due_at=again, tries=F("tries") + 1)
    return taken == 1


def _deliver(letter: Letter) -> bool:
    """Whether it is done with: sent, for nobody, or given up."""
    try:
        _SENDERS[Letter.Purpose(letter.purpose)](letter)
    except (SMTPException, OSError) as error:
        if letter.tries + 1 < _MOST_TRIES:
            logger.warning("mail could not be sent, and is tried again: %s", error)
            return False
        logger.error("mail could not be sent, and is given up: %s", error)
    return True


def _send_reset(letter: Letter) -> None:
    """To the address of the account, not the one that was typed: a database may take two spellings for one."""
    for person in _find_people(letter.address):
        _send(_("New password for %s"), "reset", person, person.email, link_for_password(person))
        _record(letter, person)


def _send_invitation(letter: Letter) -> None:
    """To whoever the account is for, if it can still be used and has the same address."""
    person = letter.person
    if person is not None and person.is_active and person.email == letter.address:
        _send(_("Your account on %s"), "invite", person, person.email, link_for_password(person))


def _send_confirmation(letter: Letter) -> None:
    """To the address that somebody says is theirs."""
    if letter.person is not None:
        link = address_of("new-email", make_confirmation(letter.person, letter.address))
        _send(_("Your email address on %s"), "confirm", letter.person, letter.address, link)


def _send_notice(letter: Letter) -> None:
    """To the address that an account had before."""
    if letter.person is not None:
        _send(_("Your email address on %s"), "changed", letter.person, letter.address)


def _send_warning(letter: Letter) -> None:
    """To who is to know what was done to their account, if it was not they."""
    if letter.person is not None:
        _send(_("Your account on %s"), letter.purpose, letter.person, letter.address)


def _send_asked(letter: Letter) -> None:
    """A letter to each who decides, so that one that can't be sent keeps no other back."""
    asked = letter.asked
    if asked is None or asked.state != Request.State.OPEN:
        return
    if letter.person is None:
        deciding = who_may("admin", asked.cluster) if asked.cluster is not None else list_administrators()
        Letter.objects.bulk_create(
            Letter(purpose=letter.purpose, asked=asked, person=each) for each in deciding[:_MOST_TOLD]
        )
    elif may_decide(letter.person, asked):  # still: this letter may have waited for an hour
        _send_about(_("Request %(number)s on %(site)s"), "asked", letter.person, asked)


def _send_decided(letter: Letter) -> None:
    """To who asked."""
    if letter.asked is not None and letter.person is not None:
        _send_about(_("Request %(number)s on %(site)s: %(state)s"), "decided", letter.person, letter.asked)


def _send_about(subject: str, template: str, person: User, asked: Request) -> None:
    if not person.is_active or not person.email:
        return
    site = settings.GWM_PUBLIC_URL.partition("://")[2]
    with speaking_to(person):
        machines = list_promised(asked)
        context = {
            "person": person,
            "asked": asked,
            "machines": ", ".join(machines[:_MOST_NAMED]),
            "is_one": len(machines) == 1,
            "more": max(0, len(machines) - _MOST_NAMED),
            "asks_for": describe(asked),
            "link": address_of("request", asked.pk),
            "site": name_site(),
        }
        title = gettext(subject) % {"number": asked.pk, "site": site, "state": asked.get_state_display()}
        body = render_to_string(f"people/mail/{template}.txt", context)
    _post(title, body, person.email)


def _send_registration(letter: Letter) -> None:
    """A link; to who has an account already, word of that; to who was shut out, nothing."""
    for person in User.objects.filter(email__iexact=letter.address, is_active=True).order_by("pk"):
        link = address_of("forgot-password")
        _send(_("Your account on %s"), "registered", person, person.email, link)
    token = make_link_token(letter.address)
    if read_link_token(token):  # nobody has the address, and registration was not closed since
        link = address_of("make-account", token)
        context = {"link": link, "days": LASTS.days, "site": name_site()}
        site = settings.GWM_PUBLIC_URL.partition("://")[2]
        body = render_to_string("people/mail/register.txt", context)
        _post(gettext("Your account on %s") % site, body, letter.address)


_SENDERS = {
    Letter.Purpose.REGISTER: _send_registration,
    Letter.Purpose.RESET: _send_reset,
    Letter.Purpose.INVITE: _send_invitation,
    Letter.Purpose.CONFIRM: _send_confirmation,
    Letter.Purpose.CHANGED: _send_notice,
    Letter.Purpose.ASKED: _send_asked,
    Letter.Purpose.DECIDED: _send_decided,
    Letter.Purpose.CREDENTIAL: _send_warning,
    Letter.Purpose.FACTORS: _send_warning,
}


def _find_people(address: str) -> list[User]:
    """Whose password is kept here, and may be set by who reads the mail of their account."""
    people = User.objects.filter(email__iexact=address, is_active=True).exclude(email="").order_by("pk")
    return [person for person in people if person.has_usable_password()]


def _send(subject: str, template: str, person: User, address: str, link: str = "") -> None:
    """In the language of the person it is for."""
    days = settings.PASSWORD_RESET_TIMEOUT // 86400
    context = {"person": person, "link": link, "days": days, "site": name_site()}
    site = settings.GWM_PUBLIC_URL.partition("://")[2]
    with speaking_to(person):
        title, body = gettext(subject) % site, render_to_string(f"people/mail/{template}.txt", context)
    _post(title, body, address)


def name_site() -> str:
    """Where people have their accounts, by the name that it has here, if any, and by its address."""
    name, address = settings.GWM_THEME.own_name, str(settings.GWM_PUBLIC_URL)
    return f"{name} ({address})" if name else address


def _post(subject: str, body: str, address: str) -> None:
    EmailMessage(
        subject=subject,
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
    ).send()


def _record(letter: Letter, person: User) -> None:
    note(
        actor_id=None,
        actor_name="",
        via=Via.WEB,
        verb="person.send-reset",
        outcome=Outcome.DONE,
        target=Target("person", person.pk, person.username),
        params={"address": letter.asked_from},
    )
