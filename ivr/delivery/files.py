"""Files behind our links: where each one is kept, and fetching it when somebody asks."""

from dataclasses import dataclass

from ivr.clients.failure import SendError
from ivr.clients.files import File, FileFetcher, of_twilio
from ivr.clients.liveperson import LivePerson
from ivr.delivery.at_liveperson import ext_consumer_id
from ivr.file_links import FileLinks
from ivr.store import conversations, messages
from ivr.store.conversations import Conversation
from ivr.store.database import Database


@dataclass(frozen=True, slots=True)
class Files:
    links: FileLinks
    database: Database
    fetcher: FileFetcher
    liveperson: LivePerson | None
    twilio_api_url: str
    twilio_auth: tuple[str, str]

    def fetch(self, message_id: str, place: int) -> File | None:
        """The file at `place` in a text's media; None when there is none. Raises SendError."""
        with self.database.reads() as tx:
            found = messages.media(tx, message_id)
            piece = found.media[place] if found and found.media and place < len(found.media) else None
            conversation = conversations.find(tx, found.conversation_id or "") if found and piece else None
        if piece is None:
            return None
        if "path" in piece:
            return self._of_liveperson(piece["path"], conversation)
        url: str = piece["url"]
        return self.fetcher.fetch(url, self.twilio_auth if of_twilio(url, self.twilio_api_url) else None)

    def _of_liveperson(self, path: str, conversation: Conversation | None) -> File:
        if self.liveperson is None or conversation is None or conversation.desk_id is None:
            raise SendError("LivePerson is not configured", permanent=True)
        consumer = ext_consumer_id(self.links.secret_key, conversation)
        deadline = self.liveperson.deadline()
        return self.fetcher.fetch(self.liveperson.file_url(consumer, conversation.desk_id, path, deadline))
