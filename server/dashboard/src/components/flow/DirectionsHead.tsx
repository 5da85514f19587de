// The head of every table with one column for each direction of a flow.
export function DirectionsHead() {
  return (
    <thead>
      <tr>
        <th scope="col">
          <span className="sr-only">Measure</span>
        </th>
        <th scope="col" className="num">
          → forward
        </th>
        <th scope="col" className="num">
          ← reverse
        </th>
      </tr>
    </thead>
  );
}
