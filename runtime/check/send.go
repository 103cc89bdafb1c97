package check

import (
	"encoding/hex"
	"fmt"

	"hapax/acl/logformat"
	"hapax/runtime"
)

// send sends bytes.
type send struct {
	data   []byte
	format *logformat.Format // nil: data
	binary bool              // the format gives hexadecimal digits
}

func (s *send) run(ck *Check, r *rule) verdict {
	ck.current = r
	data := s.data
	if s.format != nil {
		data = ck.write(s.format)
		if len(data) == 0 {
			ck.mustRead = true
			return proceed
		}
		if s.binary {
			n, err := hex.Decode(data, data)
			if err != nil {
				return ck.decide(runtime.CheckL7Response, fmt.Sprintf("tcp-check send : failed to build log-format string at step %d", ck.stepOf(r)))
			}
			data = data[:n]
		}
	} else if size := ck.checks.cfg.Global.Tune.BufSize; len(data) >= size {
		return ck.decide(runtime.CheckL7Response,
			fmt.Sprintf("tcp-check send : string too large (%d) for buffer size (%d) at step %d", len(data), size, ck.stepOf(r)))
	}
	ck.forget()
	return ck.transmit(data)
}

// transmit sends a copy of data and waits until the kernel has it.
func (ck *Check) transmit(data []byte) verdict {
	b := ck.loop().Buffer()
	b.Data = append(b.Data, data...)
	ck.conn.Send(b)
	ck.conn.NotifySent(0)
	return await
}

// write evaluates a format on what was received. The bytes are good until the next call.
func (ck *Check) write(f *logformat.Format) []byte {
	ck.expose()
	ck.text = f.Append(ck.text[:0], &ck.stream.Ctx)
	return ck.text
}
