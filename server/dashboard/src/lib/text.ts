// Text that came in packets. React renders it as text; this makes sure that it also looks like what it is.

// Characters that are not seen, or that change the order in which others are read: "moc.elpmaxe" must not pass for
// "example.com". FlowMetadata has taken the control characters out already; these are the formatting ones.
const kUnseen =
  /[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u0000-\u001f\u007f-\u009f]/g;
export const visible = (text: string) => text.replace(kUnseen, '\ufffd');

// At most `most` characters (not halves of them), the rest told by an ellipsis.
export function shorten(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
