package runtime

import (
	"reflect"
	"testing"
)

// What one request has set is not seen by the next one on the same stream.
func TestStreamReset(t *testing.T) {
	kept := map[string]bool{"ID": true, "Config": true, "Loop": true, "Engine": true}
	s := &Stream{}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		dirty(v.Field(i))
	}
	s.Reset()
	fresh := &Stream{}
	fresh.Reset()
	want := reflect.ValueOf(fresh).Elem()
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !kept[name] && scalar(v.Field(i)) && !reflect.DeepEqual(v.Field(i).Interface(), want.Field(i).Interface()) {
			t.Errorf("%s is %v", name, v.Field(i))
		}
	}
}

// scalar tells whether a field holds a number or a truth, or some of these.
func scalar(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !scalar(v.Field(i)) || !v.Type().Field(i).IsExported() {
				return false
			}
		}
		return true
	}
	return v.CanInt() || v.CanUint() || v.Kind() == reflect.Bool
}

// dirty sets all numbers and truths of a field.
func dirty(v reflect.Value) {
	switch {
	case !v.CanSet():
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case v.CanUint():
		v.SetUint(7)
	case v.Kind() == reflect.Struct && scalar(v):
		for i := range v.NumField() {
			dirty(v.Field(i))
		}
	}
}
